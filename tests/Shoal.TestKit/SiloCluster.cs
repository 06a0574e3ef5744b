using Shoal.Client;

namespace Shoal.TestKit;

/// <summary>Silos of one cluster in processes of their own on one host: they share a store, and each has its own sidecars.</summary>
/// <param name="folder">Where the silos' folders are.</param>
/// <param name="membership">The arguments that name the list of silos, <c>--redis HOST:PORT</c> for example.</param>
public sealed class SiloCluster(string folder, params string[] membership) : IAsyncDisposable
{
    private readonly List<SiloProcess> _silos = [];

    /// <summary>The silos that were started and not taken out, in that order.</summary>
    public IReadOnlyList<SiloProcess> Silos => _silos;

    /// <summary>Starts one more silo and waits until it answers.</summary>
    /// <param name="arguments">More arguments for its command line.</param>
    public Task<SiloProcess> AddAsync(params string[] arguments) => AddAsync(SiloProcess.StartAsync(NewFolder(), Arguments(arguments)));

    /// <summary>Starts one more silo of another program, an earlier version for example, and waits until it answers.</summary>
    /// <param name="assembly">The path of its assembly.</param>
    public Task<SiloProcess> AddOfAsync(string assembly) => AddAsync(SiloProcess.StartAsync(assembly, NewFolder(), endAt: null, Arguments([])));

    /// <summary>Starts one more silo that ends itself at a write, and waits until it answers.</summary>
    /// <param name="endAt">The write, as <c>KillPoint</c> in Shoal.Storage reads it.</param>
    public Task<SiloProcess> AddDoomedAsync(string endAt) => AddAsync(SiloProcess.StartAsync(NewFolder(), endAt, Arguments([])));

    /// <summary>Starts one more silo that has one core, and waits until it answers.</summary>
    /// <param name="core">The core.</param>
    public Task<SiloProcess> AddAsync(int core) => AddAsync(SiloProcess.StartPinnedAsync(NewFolder(), core, Arguments([])));

    /// <summary>Kills a silo by SIGKILL and takes it out.</summary>
    /// <param name="silo">The silo.</param>
    public async Task KillAsync(SiloProcess silo)
    {
        ArgumentNullException.ThrowIfNull(silo);
        await silo.KillAsync();
        await RemoveAsync(silo);
    }

    /// <summary>Stops a silo by SIGTERM and takes it out.</summary>
    /// <param name="silo">The silo.</param>
    public async Task StopAsync(SiloProcess silo)
    {
        ArgumentNullException.ThrowIfNull(silo);
        await silo.StopAsync();
        await RemoveAsync(silo);
    }

    /// <summary>Connects a client to the gateways of all silos.</summary>
    /// <param name="certificates">The folder of its certificates; null for none.</param>
    public Task<ShoalClient> ConnectAsync(string? certificates = null) =>
        ShoalClient.ConnectAsync(new ShoalClientOptions { Gateways = [.. _silos.Select(silo => silo.Gateway)], Certificates = certificates });

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // Killed: nobody is left to hand over to, and nothing of it is read again. What is to stop in order is stopped before.
        await Task.WhenAll(_silos.Select(silo => silo.KillAsync()));
        await Task.WhenAll(_silos.Select(silo => silo.DisposeAsync().AsTask()));
        _silos.Clear();
    }

    private async Task<SiloProcess> AddAsync(Task<SiloProcess> starting)
    {
        SiloProcess silo = await starting;
        lock (_silos)
        {
            _silos.Add(silo);
        }

        return silo;
    }

    private string NewFolder() => Path.Combine(folder, $"silo-{Guid.NewGuid():N}");

    private string[] Arguments(string[] more) => ["--store", Path.Combine(folder, "store"), "--threads", "1", .. membership, .. more];

    private async Task RemoveAsync(SiloProcess silo)
    {
        lock (_silos)
        {
            _silos.Remove(silo);
        }

        await silo.DisposeAsync();
    }
}
