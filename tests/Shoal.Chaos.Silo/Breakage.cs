using Microsoft.Extensions.DependencyInjection;
using Shoal.Grains.Hosting;
using Shoal.Storage;

namespace Shoal.Chaos.Silo;

/// <summary>What is wrong with this silo, so that the tests can show that they would see it.</summary>
public static class Breakage
{
    /// <summary>Items are acknowledged, and written half a second later.</summary>
    public const string AcknowledgesBeforeAppend = "acknowledges-before-append";

    /// <summary>The manifest says that samples were trained on, and names the parameters of the round before.</summary>
    public const string CommitsCursorsBeforeParameters = "commits-cursors-before-parameters";

    /// <summary>An item that is sent again is stored again.</summary>
    public const string StoresTwice = "stores-twice";

    /// <summary>Nothing: this program itself changes nothing.</summary>
    public const string Nothing = "nothing";

    internal static void Add(IServiceCollection services, string what)
    {
        switch (what)
        {
            case AcknowledgesBeforeAppend:
                services.AddSingleton<IObjectStore>(provider => new HastyStore(Open(provider)));
                break;
            case CommitsCursorsBeforeParameters:
                services.AddSingleton<IObjectStore>(provider => new MisleadingStore(Open(provider)));
                break;
            case StoresTwice:
                services.AddSingleton<IIncomingGrainCallFilter, DoublingFilter>();
                break;
            case Nothing:
                break;
            default:
                throw new ArgumentException($"Nobody knows how to break '{what}'.", nameof(what));
        }
    }

    private static FileObjectStore Open(IServiceProvider services) => new(services.GetRequiredService<ShoalSiloOptions>().StoreDirectory);
}
