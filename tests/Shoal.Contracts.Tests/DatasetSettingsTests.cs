namespace Shoal.Contracts.Tests;

public sealed class DatasetSettingsTests
{
    [Fact]
    public void The_defaults_are_fine() => Assert.Empty(new DatasetSettings().Problems());

    [Fact]
    public void Both_ends_of_every_range_are_fine()
    {
        Assert.Empty(new DatasetSettings { Height = 8, Width = 8, Channels = 1, Clusters = 2, Shards = 1, MaxItemBytes = 1, MaxPixels = 64, ReplaySize = 256, RoundSeconds = 1, IdleRehearsalSteps = 0 }.Problems());
        Assert.Empty(new DatasetSettings { Height = 256, Width = 256, Clusters = 1_000, Shards = 1_024, MaxItemBytes = 64 << 20, MaxPixels = 400_000_000, ReplaySize = 1_000_000, RoundSeconds = 3_600, IdleRehearsalSteps = 1_000_000 }.Problems());
    }

    public static TheoryData<DatasetSettings, string> Wrong => new()
    {
        { new() { Modality = "audio" }, "Modality is 'audio'; must be 'image' or 'sound'." },
        { new() { Modality = DatasetSettings.Sound }, "Channels is 3; must be 1 for sound, whose recordings are mixed to one channel." },
        { new() { Modality = DatasetSettings.Sound, Channels = 1, SampleRate = 3_999 }, "SampleRate is 3,999; must be 4,000 to 48,000." },
        { new() { Modality = DatasetSettings.Sound, Channels = 1, WindowSeconds = 0.05, HopSeconds = 0.05 }, "WindowSeconds is 0.05; must be 0.1 to 30." },
        { new() { Modality = DatasetSettings.Sound, Channels = 1, HopSeconds = 1.5 }, "HopSeconds is 1.5; must be 0.05 to 1." },
        { new() { Modality = DatasetSettings.Sound, Channels = 1, FrontEnd = "mfcc" }, "FrontEnd is 'mfcc'; must be 'log-mel' or 'waveform'." },
        { new() { FrontEnd = DatasetSettings.Waveform }, "FrontEnd is 'waveform', which sound has; images have none." },
        { new() { Modality = DatasetSettings.Sound, Channels = 1, FrontEnd = DatasetSettings.Waveform, WindowSeconds = 2.1 }, "A window has 33,600 values (SampleRate x WindowSeconds); must be 1,600 to 32,000 for the front end 'waveform'." },
        { new() { Height = 7 }, "Height is 7; must be 8 to 256." },
        { new() { Width = 257 }, "Width is 257; must be 8 to 256." },
        { new() { Channels = 2 }, "Channels is 2; must be 1 or 3." },
        { new() { Clusters = 1_001 }, "Clusters is 1,001; must be 2 to 1,000." },
        { new() { Shards = 0 }, "Shards is 0; must be 1 to 1,024." },
        { new() { MaxItemBytes = 0 }, "MaxItemBytes is 0; must be 1 to 67,108,864." },
        { new() { MaxPixels = 400_000_001 }, "MaxPixels is 400,000,001; must be 64 to 400,000,000." },
        { new() { RetainDays = -1 }, "RetainDays is -1; must be 0 to 36,500." },
        { new() { RetainBytes = 5 }, $"RetainBytes is 5; must be 1,000,000 to {(double)long.MaxValue:N0}." },
        { new() { OuterMomentum = 1 }, "OuterMomentum is 1; must be 0 to 0.99." },
        { new() { MaxLag = 999 }, $"MaxLag is 999; must be 1,000 to {(double)long.MaxValue:N0}." },
        { new() { MaxLag = 1_000, RoundSteps = 1 }, "MaxLag skips items by how fast training is; with RoundSteps what is learned must not depend on that. Leave one of them 0." },
        { new() { Replay = "newest" }, "Replay is 'newest'; must be 'reservoir' or 'minimum-redundancy'." },
        { new() { ReplaySize = -1 }, "ReplaySize is -1; must be 256 to 1,000,000." },
        { new() { RoundSeconds = 3_601 }, "RoundSeconds is 3,601; must be 1 to 3,600." },
        { new() { RoundSeconds = double.NaN }, "RoundSeconds is NaN; must be 1 to 3,600." },
        { new() { IdleRehearsalSteps = -5 }, "IdleRehearsalSteps is -5; must be 0 to 1,000,000." },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void A_setting_out_of_range_is_named_with_its_value_and_range(DatasetSettings settings, string problem) =>
        Assert.Equal([problem], settings.Problems());

    [Fact]
    public void All_problems_are_named_at_once() =>
        Assert.Equal(
            ["Height is 1; must be 8 to 256.", "Channels is 4; must be 1 or 3.", "Clusters is 1; must be 2 to 1,000."],
            new DatasetSettings { Height = 1, Channels = 4, Clusters = 1 }.Problems());

    [Theory]
    [InlineData("auto", 0)]
    [InlineData("12", 12)]
    [InlineData("0", null)]
    [InlineData("-3", null)]
    [InlineData("Auto", null)]
    [InlineData("1,000", null)]
    [InlineData(null, null)]
    public void A_number_of_clusters_is_a_count_or_auto(string? text, int? clusters) =>
        Assert.Equal(clusters, DatasetSettings.ParseClusters(text));
}
