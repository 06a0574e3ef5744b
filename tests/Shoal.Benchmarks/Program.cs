using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Shoal.Benchmarks;
using Shoal.Benchmarks.Simulation;
using Shoal.Contracts;
using Shoal.Learning;
using Shoal.TestKit;

// What the measuring process starts as a silo is this program, too.
if (args is [CountedSilo.Word, var counters, .. var siloArguments])
{
    return await CountedSilo.RunAsync(counters, siloArguments);
}

var json = new Option<bool>("--json") { Description = "One JSON object a figure, a line each", Recursive = true };
var data = new Option<string>("--data") { Description = "mnist, a folder of IDX files, a folder of class folders, or a labelled CSV", DefaultValueFactory = _ => "mnist" };
var stream = new Option<string>("--stream") { Description = "iid, phases:PxC, or imbalanced:R", DefaultValueFactory = _ => "iid" };
var seeds = new Option<int>("--seeds") { Description = "How many seeds", DefaultValueFactory = _ => 1 };
var firstSeed = new Option<int>("--first-seed") { Description = "The first seed", DefaultValueFactory = _ => 1 };
var limit = new Option<int?>("--limit") { Description = "The most items ingested, a random part that keeps every phase's share" };
var rehearsal = new Option<int?>("--rehearsal") { Description = "Idle rehearsal steps; after phases measured before and after them [default: 100, after phases 800, of recordings 2500]" };
var clusters = new Option<int?>("--clusters")
{
    Description = "The most clusters, or 'auto' for as many as there are [default: one a class]",
    CustomParser = result => DatasetSettings.ParseClusters(result.Tokens[0].Value) ?? Refuse<int?>(result, "--clusters must be a number or 'auto'."),
};
var objectives = new Option<IReadOnlyDictionary<string, double>?>("--objective")
{
    Description = "An objective and its weight, for example moco=1; repeat it for more [default: the learner's]",
    CustomParser = result =>
    {
        KeyValuePair<string, double>?[] parsed = [.. result.Tokens.Select(token => DatasetSettings.ParseObjective(token.Value))];
        return parsed.Contains(null)
            ? Refuse<IReadOnlyDictionary<string, double>?>(result, "--objective must be NAME=WEIGHT")
            : parsed.ToDictionary(objective => objective!.Value.Key, objective => objective!.Value.Value, StringComparer.Ordinal);
    },
};
var replay = new Option<string>("--replay")
{
    Description = "Which past samples are rehearsed: reservoir or minimum-redundancy",
    DefaultValueFactory = _ => DatasetSettings.Reservoir,
};
var plot = new Option<string?>("--plot")
{
    Description = $"Write pictures of the first seed into this folder [default folder: {QualityPictures.DefaultFolder}]",
    Arity = ArgumentArity.ZeroOrOne,
};
var seconds = new Option<int>("--seconds") { Description = "Seconds of each turn", DefaultValueFactory = _ => 60 };
var turns = new Option<int>("--turns") { Description = "Turns of each side", DefaultValueFactory = _ => 3 };
var items = new Option<int>("--items") { Description = "Items in the dataset", DefaultValueFactory = _ => 1_000_000 };
var replicas = new Option<int>("--replicas") { Description = "How many silos learn together, each on one core; 1 has all cores", DefaultValueFactory = _ => 1 };
var outer = new Option<double>("--outer-momentum") { Description = "With several replicas: Nesterov momentum over their rounds; 0 takes their mean", DefaultValueFactory = _ => new DatasetSettings().OuterMomentum };
var steps = new Option<int>("--steps") { Description = "With --precision: training steps of each turn; where bfloat16 is emulated, one takes seconds", DefaultValueFactory = _ => 10 };
var shortTurn = new Option<int>("--seconds") { Description = "Seconds of each turn", DefaultValueFactory = _ => 2 };
foreach (Option<int> atLeastOne in new[] { seeds, seconds, turns, items, replicas, steps, shortTurn })
{
    atLeastOne.Validators.Add(result =>
    {
        // What is no number at all is refused by the parser itself.
        if (result.Tokens is [var token] && int.TryParse(token.Value, CultureInfo.InvariantCulture, out var number) && number < 1)
        {
            result.AddError($"{atLeastOne.Name} must be 1 or more.");
        }
    });
}

var quality = new Command("quality", "How well a stream becomes clusters: one pass through a real silo") { data, stream, seeds, firstSeed, limit, rehearsal, clusters, objectives, replay, replicas, outer, plot };
quality.SetAction((result, _) => RunAsync(result, figures => QualitySuite.RunAsync(
    new QualityRequest(result.GetRequiredValue(data), result.GetRequiredValue(stream), result.GetRequiredValue(firstSeed), result.GetRequiredValue(seeds))
    {
        Limit = result.GetValue(limit),
        Rehearsal = result.GetValue(rehearsal),
        Clusters = result.GetValue(clusters),
        Objectives = result.GetValue(objectives),
        Replay = result.GetRequiredValue(replay),
        Replicas = result.GetRequiredValue(replicas),
        OuterMomentum = result.GetValue(outer),
        Pictures = result.GetResult(plot) is null ? null : result.GetValue(plot) ?? QualityPictures.DefaultFolder,
    },
    figures)));
var precision = new Option<string?>("--precision") { Description = "auto: instead of the silo, whether what auto chooses here between float32 and bfloat16 is right; then a turn is of so many --steps" };
precision.AcceptOnlyFromAmong("auto");
var train = new Command("train", "Training through silo, log, pump and commits against the bare learner, in turns; with --precision auto, float32 against bfloat16") { data, seconds, turns, precision, steps };
train.SetAction((result, _) => RunAsync(result, figures => result.GetValue(precision) is null
    ? TrainSuite.RunAsync(result.GetRequiredValue(data), result.GetRequiredValue(seconds), result.GetRequiredValue(turns), figures)
    : PrecisionSuite.RunAsync(result.GetRequiredValue(data), result.GetRequiredValue(steps), result.GetRequiredValue(turns), figures)));
var only = new Option<string[]>("--only") { Description = "An objective; repeat it for more [default: all]", DefaultValueFactory = _ => [] };
var encoder = new Option<string>("--encoder") { Description = "What makes embeddings", DefaultValueFactory = _ => EncoderCatalogue.Auto };
var frontEnd = new Option<string>("--front-end") { Description = "What is learned of recordings: log-mel or waveform", DefaultValueFactory = _ => DatasetSettings.LogMel };
frontEnd.AcceptOnlyFromAmong(DatasetSettings.LogMel, DatasetSettings.Waveform);
var recipe = new Option<string>("--views") { Description = "Which changes leave samples what they are", DefaultValueFactory = _ => DatasetSettings.AutoViews };
var gains = new Command("objectives", "What each objective alone makes of an encoder, against the same encoder with its first weights; not for MNIST, where those do well") { data, frontEnd, only, encoder, recipe, seconds, seeds, firstSeed };
gains.SetAction((result, _) => RunAsync(result, figures => ObjectivesSuite.RunAsync(
    new ObjectivesRequest(
        result.GetRequiredValue(data), result.GetRequiredValue(frontEnd), result.GetRequiredValue(only), result.GetRequiredValue(encoder), result.GetRequiredValue(recipe),
        result.GetRequiredValue(seconds), result.GetRequiredValue(firstSeed), result.GetRequiredValue(seeds)),
    figures)));
var views = new Command("views", "How fast views are made, and what share of a training step they take");
views.SetAction((result, _) => RunAsync(result, ViewsSuite.RunAsync));
var audio = new Command("audio", "How many seconds of sound become samples in a second of one core") { shortTurn, turns };
audio.SetAction((result, _) => RunAsync(result, figures => AudioSuite.RunAsync(result.GetRequiredValue(shortTurn), result.GetRequiredValue(turns), figures)));
var silos = new Option<int>("--silos") { Description = "How many silos answer; 1 has all cores, several a core each", DefaultValueFactory = _ => 1 };
var query = new Command("query", "Queries for single items from an external process, training paused and not") { items, silos };
query.SetAction((result, _) => RunAsync(result, figures => QuerySuite.RunAsync(result.GetRequiredValue(items), result.GetRequiredValue(silos), figures)));
var ingest = new Command("ingest", "Durable ingest over HTTP, and the time until an item is assigned");
ingest.SetAction((result, _) => RunAsync(result, IngestSuite.RunAsync));
var gigabytes = new Option<double>("--gigabytes") { Description = "Size of the archive that streams in", DefaultValueFactory = _ => 2 };
var api = new Command("api", "Items over HTTP with 64 connections, with and without keys, and memory while a large archive streams in") { gigabytes };
api.SetAction((result, _) => RunAsync(result, figures => ApiSuite.RunAsync(result.GetRequiredValue(gigabytes), figures)));
var seed = new Option<int>("--seed") { Description = "The dataset's seed", DefaultValueFactory = _ => 1 };
var pages = new Command("pages", "The live pages in a real browser: how soon they are there, how smoothly the map moves, and what fifty of them cost training") { data, seed, seconds, turns };
pages.SetAction((result, _) => RunAsync(result, figures => PagesSuite.RunAsync(
    new PagesRequest(result.GetRequiredValue(data), result.GetRequiredValue(seed), result.GetRequiredValue(seconds), result.GetRequiredValue(turns)), figures)));
var kills = new Option<int>("--kills") { Description = "How often the silo is killed", DefaultValueFactory = _ => 20 };
var store = new Option<string>("--store") { Description = "Where everything is kept: files or azurite", DefaultValueFactory = _ => "files" };
store.AcceptOnlyFromAmong("files", "azurite");
var recovery = new Command("recovery", "Kills a silo under load again and again, and counts what is lost") { kills, store, firstSeed };
recovery.SetAction((result, _) => RunAsync(result, figures => RecoverySuite.RunAsync(
    result.GetRequiredValue(kills), result.GetRequiredValue(store) is "azurite", result.GetRequiredValue(firstSeed), figures)));

var exactlyOnce = new Command("exactly-once", "Kills deterministic training again and again, and compares its end with that of training left alone") { data, kills, firstSeed };
exactlyOnce.SetAction((result, _) => RunAsync(result, figures => ExactlyOnceSuite.RunAsync(
    result.GetRequiredValue(data), result.GetRequiredValue(kills), result.GetRequiredValue(firstSeed), figures)));

var inputs = new Option<int>("--inputs") { Description = "How many damaged inputs", DefaultValueFactory = _ => 200_000 };
var fuzz = new Command("fuzz", "Feeds damaged bytes to everything that reads foreign ones") { inputs, firstSeed };
fuzz.SetAction((result, _) => RunAsync(result, figures => FuzzSuite.RunAsync(result.GetRequiredValue(inputs), result.GetRequiredValue(firstSeed), figures)));

var activation = new Command("activation", "Opening a shard with many items") { items };
activation.SetAction((result, _) => RunAsync(result, figures => ActivationSuite.RunAsync(result.GetRequiredValue(items), figures)));

var failover = new Command("failover", "Kills one of three silos of a cluster under load, and counts what fails") { kills, firstSeed };
failover.SetAction((result, _) => RunAsync(result, figures => FailoverSuite.RunAsync(result.GetRequiredValue(kills), result.GetRequiredValue(firstSeed), figures)));

var scale = new Command("scale", "Training by two silos with a core each against one") { data, turns };
scale.SetAction((result, _) => RunAsync(result, figures => ScaleSuite.RunAsync(result.GetRequiredValue(data), result.GetRequiredValue(turns), figures)));

var capacity = new Command("capacity", "What an item, a call and a round cost: the constants of the capacity model") { data, seconds };
capacity.SetAction((result, _) => RunAsync(result, figures => CapacitySuite.RunAsync(result.GetRequiredValue(data), result.GetRequiredValue(seconds), figures)));

var constants = new Option<string>("--constants") { Description = "What ./shoal bench capacity --json printed", DefaultValueFactory = _ => SimulateSuite.DefaultConstants };
var sizes = Numbers("--silos", "Numbers of silos", "1,3,10,30,100,300,1000");
var stored = Numbers("--items", "Numbers of items in all datasets together", "1e6,1e7,1e8,1e9,1e10");
var datasets = Numbers("--datasets", "Numbers of datasets", "1,100");
var simulate = new Command("simulate", "Simulates clusters of many sizes: what is used too much first, and what would help") { constants, sizes, stored, datasets, firstSeed };
simulate.SetAction((result, _) => RunAsync(result, figures => SimulateSuite.RunAsync(
    new SimulateRequest(
        result.GetRequiredValue(constants),
        [.. result.GetRequiredValue(sizes).Select(number => (int)number)],
        result.GetRequiredValue(stored),
        [.. result.GetRequiredValue(datasets).Select(number => (int)number)],
        result.GetRequiredValue(firstSeed)),
    figures)));

var stops = new Option<int>("--stops") { Description = "Silos that are stopped one after another; 0 for the load alone", DefaultValueFactory = _ => 3 };
var rolling = new Command("rolling", "Stops the silos of a cluster one by one under load, and starts others") { stops };
rolling.SetAction((result, _) => RunAsync(result, figures => RollingSuite.RunAsync(result.GetRequiredValue(stops), figures)));

var minutes = new Option<int>("--minutes") { Description = "For how long", DefaultValueFactory = _ => 30 };
var soak = new Command("soak", "Ingests, trains, asks and deletes for a long time, and looks whether anything grows") { minutes };
soak.SetAction((result, _) => RunAsync(result, figures => SoakSuite.RunAsync(result.GetRequiredValue(minutes), figures)));

return await new RootCommand("Measures Shoal. Every figure is printed as it is measured.") { quality, train, gains, views, audio, query, ingest, api, pages, recovery, exactlyOnce, fuzz, activation, soak, failover, scale, capacity, simulate, rolling, json }.Parse(args).InvokeAsync();

static Option<IReadOnlyList<double>> Numbers(string name, string description, string numbers) => new(name)
{
    Description = description,
    DefaultValueFactory = _ => SimulateSuite.Numbers(numbers)!,
    CustomParser = result => SimulateSuite.Numbers(result.Tokens[0].Value) ?? Refuse<IReadOnlyList<double>>(result, $"{name} must be numbers of 1 or more with commas, for example {numbers}."),
};

static T? Refuse<T>(ArgumentResult result, string why)
{
    result.AddError(why);
    return default;
}

async Task<int> RunAsync(ParseResult result, Func<FigureWriter, Task> suite)
{
    try
    {
        await suite(new FigureWriter(result.GetValue(json)));
        return 0;
    }
    catch (ShoalException e)
    {
        await Console.Error.WriteLineAsync($"error: {e.Message}");
        return e.IsTransient ? 3 : 2;
    }
    catch (MissingProgramException e)
    {
        await Console.Error.WriteLineAsync($"error: {e.Message}");
        return 2;
    }
}
