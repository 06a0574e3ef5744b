using System.CommandLine;
using System.Globalization;
using Shoal.Contracts;
using Spectre.Console;

namespace Shoal.Demo;

/// <summary>What the demo's arguments mean.</summary>
internal static class DemoProgram
{
    /// <summary>Runs the demo that is asked for.</summary>
    /// <param name="args">The arguments.</param>
    /// <param name="console">Where it is shown.</param>
    /// <param name="error">Where failures go, a line each.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(string[] args, IAnsiConsole console, TextWriter error)
    {
        var data = new Option<DirectoryInfo?>("--data") { Description = "The folder of the demo's silo [default: shoal-demo, with sound shoal-demo-sound]" };
        var fresh = new Option<bool>("--fresh") { Description = "Start over: remove what an earlier run left in the folder" };
        var sound = new Option<bool>("--sound") { Description = "Recordings in place of images: hits on drums and cymbals, fetched as a Debian package" };
        var recordings = new Option<DirectoryInfo?>("--recordings") { Description = "Recordings of your own: a folder; means --sound, too" };
        var items = new Option<int?>("--items") { Description = "Stream only so many of the 60,000 images, or of the recordings" };
        var json = new Option<bool>("--json") { Description = "Print the figures as JSON, one object a line" };
        items.Validators.Add(result =>
        {
            // What is no number at all is refused by the parser itself.
            if (result.Tokens is [var token] && int.TryParse(token.Value, CultureInfo.InvariantCulture, out var number) && number < 1)
            {
                result.AddError("--items must be 1 or more.");
            }
        });
        var demo = new RootCommand("Streams 60,000 unlabeled handwritten digits, or with --sound recordings, into an embedded silo and shows what it learns.") { data, fresh, sound, recordings, items, json };
        demo.SetAction(async (result, cancellationToken) =>
        {
            try
            {
                var (folder, own) = (result.GetValue(data)?.ToString(), result.GetValue(recordings)?.ToString());
                return result.GetValue(sound) || own is not null
                    ? await SoundRun.RunAsync(new SoundRequest(folder ?? "shoal-demo-sound", result.GetValue(fresh), own, result.GetValue(items), result.GetValue(json)), console, cancellationToken)
                    : await DemoRun.RunAsync(new DemoRequest(folder ?? "shoal-demo", result.GetValue(fresh), result.GetValue(items), result.GetValue(json)), console, cancellationToken);
            }
            catch (ShoalException e)
            {
                await error.WriteLineAsync($"error: {e.Message}");
                return e.IsTransient ? 3 : 2;
            }
        });

        // As long as its silo may take to stop.
        return await demo.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(30), Error = error });
    }
}
