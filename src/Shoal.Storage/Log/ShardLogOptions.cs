namespace Shoal.Storage;

/// <summary>Settings of <see cref="ShardLog"/>.</summary>
public sealed record ShardLogOptions
{
    /// <summary>A segment rolls once it is this long, in bytes.</summary>
    /// <value>Default 256 MiB: a re-scan takes about a second. Range 4 KiB to 1 TiB.</value>
    public long SegmentBytes { get; init; } = 256L << 20;

    /// <summary>A segment rolls after this many appends.</summary>
    /// <value>Default 45,000: Azure allows 50,000 blocks in an append blob; the rest is for epochs and barriers of openers. Range 2 to 45,000.</value>
    public int SegmentAppends { get; init; } = 45_000;

    /// <summary>Waiting calls are gathered into one append up to this size, in bytes.</summary>
    /// <value>Default 4 MiB: larger writes gain nothing on a disk and cost latency. Range 4 KiB to 64 MiB.</value>
    public int BatchBytes { get; init; } = 4 << 20;

    /// <summary>Largest single call, in encoded bytes; it goes out as one append.</summary>
    /// <value>Default 64 MiB: Azure takes 100 MiB in a block. Range 4 KiB to 96 MiB.</value>
    public int MaxCallBytes { get; init; } = 64 << 20;

    /// <summary>Bytes that may wait, those being written included; more throws <see cref="LogFullException"/>.</summary>
    /// <value>Default 128 MiB: two largest calls. Range 4 KiB to 8 GiB.</value>
    public long QueueBytes { get; init; } = 128L << 20;

    /// <summary>Items that may wait, those being written included; more throws <see cref="LogFullException"/>.</summary>
    /// <value>Default 16,384: at 1,000 items/s of one log, what a client with a 15 s time-out would still wait for. Range 1 to 10,000,000.</value>
    public int QueueItems { get; init; } = 16_384;

    /// <summary>Bytes of one read while scanning.</summary>
    /// <value>Default 1 MiB: past that disks and blobs give no more throughput. Range 4 KiB to 64 MiB.</value>
    public int ReadBytes { get; init; } = 1 << 20;

    /// <summary>How often opening starts over when others open the same log at the same time.</summary>
    /// <value>Default 16: every lost race means that another opener won, and Orleans rarely has two. Range 1 to 1,000.</value>
    public int OpenAttempts { get; init; } = 16;

    /// <summary>Every problem with these settings; empty when they are fine.</summary>
    public IReadOnlyList<string> Problems()
    {
        List<string> problems = [];
        OptionChecks.Range(problems, nameof(SegmentBytes), SegmentBytes, 4096, 1L << 40);
        OptionChecks.Range(problems, nameof(SegmentAppends), SegmentAppends, 2, 45_000);
        OptionChecks.Range(problems, nameof(BatchBytes), BatchBytes, 4096, 64 << 20);
        OptionChecks.Range(problems, nameof(MaxCallBytes), MaxCallBytes, 4096, 96 << 20);
        OptionChecks.Range(problems, nameof(QueueBytes), QueueBytes, 4096, 8L << 30);
        OptionChecks.Range(problems, nameof(QueueItems), QueueItems, 1, 10_000_000);
        OptionChecks.Range(problems, nameof(ReadBytes), ReadBytes, 4096, 64 << 20);
        OptionChecks.Range(problems, nameof(OpenAttempts), OpenAttempts, 1, 1000);
        if (QueueBytes < MaxCallBytes)
        {
            problems.Add($"{nameof(QueueBytes)} is {QueueBytes}; must be at least {nameof(MaxCallBytes)}, {MaxCallBytes}");
        }

        return problems;
    }

    /// <summary>Throws when a setting is wrong.</summary>
    /// <exception cref="ArgumentException">Lists every problem.</exception>
    public void Validate() => OptionChecks.Throw("Log", Problems());
}
