using System.CommandLine;
using Shoal.Contracts;
using Shoal.Demo;
using Spectre.Console;

var data = new Option<DirectoryInfo>("--data") { Description = "The folder of the demo's silo", DefaultValueFactory = _ => new DirectoryInfo("shoal-demo") };
var fresh = new Option<bool>("--fresh") { Description = "Start over: remove what an earlier run left in the folder" };
var items = new Option<int?>("--items") { Description = "Stream only so many of the 60,000 images" };
var json = new Option<bool>("--json") { Description = "Print the figures as JSON, one object a line" };

var demo = new RootCommand("Streams 60,000 unlabeled handwritten digits into an embedded silo and shows what it learns.") { data, fresh, items, json };
demo.SetAction(async (result, cancellationToken) =>
{
    try
    {
        return await DemoRun.RunAsync(
            new DemoRequest(result.GetRequiredValue(data).ToString(), result.GetValue(fresh), result.GetValue(items), result.GetValue(json)),
            AnsiConsole.Console,
            cancellationToken);
    }
    catch (ShoalException e)
    {
        await Console.Error.WriteLineAsync($"error: {e.Message}");
        return e.IsTransient ? 3 : 2;
    }
});
// As long as its silo may take to stop.
return await demo.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(30) });
