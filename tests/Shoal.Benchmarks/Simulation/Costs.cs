using System.Text.Json;
using Shoal.Contracts;

namespace Shoal.Benchmarks.Simulation;

/// <summary>The constants of the capacity model, as <c>./shoal bench capacity</c> measures them; times in seconds of one core unless they say otherwise.</summary>
internal sealed record Costs
{
    /// <summary>Storing an item that comes in a batch of <see cref="BatchItems"/>.</summary>
    public required double Ingest { get; init; }

    /// <summary>Bytes of an item's record in the log.</summary>
    public required double RecordBytes { get; init; }

    /// <summary>Items of a batch when <see cref="Ingest"/> was measured.</summary>
    public required double BatchItems { get; init; }

    /// <summary>Decoding, embedding and assigning an item.</summary>
    public required double Assign { get; init; }

    /// <summary>Reads of the store for each item that is assigned.</summary>
    public required double AssignReads { get; init; }

    /// <summary>The compute thread's work for a fresh sample, with what is rehearsed beside it and without the ends of rounds.</summary>
    public required double Train { get; init; }

    /// <summary>Everything else for a fresh sample: reading, decoding, gathering.</summary>
    public required double TrainOther { get; init; }

    /// <summary>Reads of the store for each sample that is trained on.</summary>
    public required double TrainReads { get; init; }

    /// <summary>Answering a query for one item.</summary>
    public required double Query { get; init; }

    /// <summary>Answering a trivial call of a grain.</summary>
    public required double Call { get; init; }

    /// <summary>A byte that a call carries, read from the log or not.</summary>
    public required double Byte { get; init; }

    /// <summary>Finding clusters, judging and copying at the end of a round.</summary>
    public required double Settle { get; init; }

    /// <summary>Averaging a byte of one replica's model.</summary>
    public required double MergeByte { get; init; }

    /// <summary>Resident bytes of an item in a shard's index.</summary>
    public required double ItemMemory { get; init; }

    /// <summary>Bytes of an item's sidecars on the local disk.</summary>
    public required double ItemDisk { get; init; }

    /// <summary>Reading an item's record while a shard is opened whose sidecars are gone.</summary>
    public required double Rebuild { get; init; }

    /// <summary>Reading an item's sidecars while a shard is opened.</summary>
    public required double Open { get; init; }

    /// <summary>Resident bytes of a silo that has nothing to do.</summary>
    public required double SiloMemory { get; init; }

    /// <summary>Resident bytes of a silo's first seat: libtorch and its heap are there from then on.</summary>
    public required double FirstSeatMemory { get; init; }

    /// <summary>Resident bytes of each further seat: its state in libtorch, and twice more while a round ends, copied out and serialized.</summary>
    public double SeatMemory => 3 * (Model + Optimizer + Replay + Progress + Bank);

    /// <summary>Bytes of a model.</summary>
    public required double Model { get; init; }

    /// <summary>Bytes of an optimizer's state.</summary>
    public required double Optimizer { get; init; }

    /// <summary>Bytes of all rehearsed samples of a dataset.</summary>
    public required double Replay { get; init; }

    /// <summary>Bytes of a learner's progress.</summary>
    public required double Progress { get; init; }

    /// <summary>Bytes of a candidate for publication.</summary>
    public required double Candidate { get; init; }

    /// <summary>Bytes of the memory bank.</summary>
    public required double Bank { get; init; }

    /// <summary>Bytes of a manifest of one seat.</summary>
    public required double Manifest { get; init; }

    /// <summary>Reads the figures of <c>./shoal bench capacity --json</c>.</summary>
    /// <param name="file">The file.</param>
    /// <exception cref="ShoalException">Invalid: there is no such file, or it lacks a figure.</exception>
    public static Costs Read(string file)
    {
        if (!File.Exists(file))
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"There are no constants at '{file}'; make them with: ./shoal bench capacity --json > {file}");
        }

        // Of several of one name the last.
        Dictionary<string, double> figures = FigureFile.Read(file).GroupBy(figure => figure.Name, StringComparer.Ordinal).ToDictionary(same => same.Key, same => same.Last().Value, StringComparer.Ordinal);
        double Need(string name) => figures.TryGetValue("scale." + name, out var value) && double.IsFinite(value) && value >= 0
            ? value
            : throw new ShoalException(ShoalErrorKind.Invalid, $"'{file}' lacks 'scale.{name}'; make it anew with: ./shoal bench capacity --json > {file}");
        double Micro(string name) => Need(name) / 1e6;
        double Milli(string name) => Need(name) / 1e3;
        return new Costs
        {
            Ingest = Micro("ingest_cpu_us"),
            RecordBytes = Need("ingest_bytes"),
            BatchItems = Need("ingest_items_per_append"),
            Assign = Micro("assign_cpu_us"),
            AssignReads = Need("assign_store_reads"),
            Train = Micro("train_cpu_us"),
            TrainOther = Micro("train_other_cpu_us"),
            TrainReads = Need("train_store_reads"),
            Query = Micro("query_cpu_us"),
            Call = Micro("grain_call_cpu_us"),
            Byte = Micro("read_cpu_us_per_mb") / 1e6,
            Settle = Milli("settle_cpu_ms"),
            MergeByte = Micro("merge_us_per_mb") / 1e6,
            ItemMemory = Need("item_memory_bytes"),
            ItemDisk = Need("item_disk_bytes"),
            Rebuild = Micro("rebuild_cpu_us"),
            Open = Micro("open_cpu_us"),
            SiloMemory = Need("silo_memory_bytes"),
            FirstSeatMemory = Need("first_seat_memory_bytes"),
            Model = Need("model_bytes"),
            Optimizer = Need("optimizer_bytes"),
            Replay = Need("replay_bytes"),
            Progress = Need("progress_bytes"),
            Candidate = Need("candidate_bytes"),
            Bank = Need("bank_bytes"),
            Manifest = Need("manifest_bytes"),
        };
    }
}

/// <summary>Reads figures that were printed with <c>--json</c>.</summary>
internal static class FigureFile
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals };

    /// <summary>Every figure.</summary>
    /// <param name="file">The file, one object a line.</param>
    /// <exception cref="ShoalException">Invalid: a line is no figure.</exception>
    public static IReadOnlyList<Figure> Read(string file) => [.. File.ReadLines(file).Where(line => !string.IsNullOrWhiteSpace(line)).Select(line => Parse(file, line))];

    private static Figure Parse(string file, string line)
    {
        try
        {
            return JsonSerializer.Deserialize<Figure>(line, Options) is { Name: not null, Settings: not null } figure ? figure : throw new JsonException("it has no name or no settings");
        }
        catch (JsonException e)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"'{file}' holds a line that is no figure: {line} ({e.Message})", e);
        }
    }
}
