using System.Globalization;
using System.Reflection;
using static Shoal.Learning.Tests.Catalogued;
using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

/// <summary>What every objective of the catalogue declares is so.</summary>
public sealed class ObjectiveDeclarationTests : IDisposable
{
    private readonly int _threads = get_num_threads();

    // Small tensors: a second thread waits more than it works.
    public ObjectiveDeclarationTests() => set_num_threads(1);

    public static TheoryData<string> Names => [.. ObjectiveCatalogue.Names];

    public static TheoryData<string> Pretexts => [.. ObjectiveCatalogue.Names.Where(IsPretext)];

    public static TheoryData<string> OfPictures => [.. ObjectiveCatalogue.Names.Where(name => !ObjectiveCatalogue.Find(name)!.NeedsLatents)];

    public static TheoryData<string> Comparing => [.. ObjectiveCatalogue.Names.Where(name => !IsPretext(name))];

    public void Dispose() => set_num_threads(_threads);

    [Theory]
    [MemberData(nameof(Names))]
    public void It_names_its_source(string name)
    {
        var declared = ObjectiveCatalogue.Find(name)!;
        Assert.Matches(@"^\S.* et al\. (19|20)\d\d, |^\S+ and \S+ (19|20)\d\d, ", declared.Source);
        Assert.Matches(@"eq\.|section|algorithm", declared.Source);
        Assert.DoesNotContain('|', declared.Source);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void What_it_does_not_declare_to_need_it_does_not_read(string name)
    {
        using var scope = NewDisposeScope();
        using var objective = Create(name);
        var needs = ObjectiveCatalogue.Find(name)!.Needs;
        var batch = Batch(objective, scale: 20);
        batch = batch with { CropFeatures = randn(2 * batch.Features.shape[0], batch.Features.shape[1]) };
        var before = Loss(objective, batch).item<float>();
        var other = Batch(objective, seed: 2, scale: 20);
        foreach (var (need, changed) in new[]
        {
            (ObjectiveNeeds.KeyEncoder, batch with { KeyFeatures = other.KeyFeatures }),
            (ObjectiveNeeds.Bank, batch with { BankKeys = other.BankKeys }),
            (ObjectiveNeeds.Neighbours, batch with { Neighbours = batch.Anchors }),
            (ObjectiveNeeds.Labels, batch with { Labels = batch.Labels.roll(1, 0) }),
            (ObjectiveNeeds.Heads, batch with { Head = other.Head }),
            (ObjectiveNeeds.Replay, batch with { Replayed = batch.Replayed.narrow(0, 0, 3) }),
            (ObjectiveNeeds.Samples, batch with { Pixels = other.Pixels }),
            (ObjectiveNeeds.Crops, batch with { CropFeatures = batch.CropFeatures.roll(1, 0) }),
        })
        {
            var (declared, read) = (needs.HasFlag(need), Loss(objective, changed).item<float>() != before);
            Assert.True(declared == read, $"{need}: declared {declared}, read {read}");
        }
    }

    [Theory]
    [MemberData(nameof(Pretexts))]
    public void What_was_changed_is_told_from_features_and_not_without(string name)
    {
        // Its transformer finds nothing at the rate of the others; and at its own it knows by heart after 60 steps what is drawn, which is the same in each.
        var (steps, rate) = name is "wav2vec2" ? (20, 0.003) : (60, 0.01);
        using var scope = NewDisposeScope();

        // Where the bar lies tells the colour.
        var tints = tensor(new[,] { { 1, 0.2f, 0.2f }, { 0.2f, 1, 0.2f }, { 0.2f, 0.2f, 1 }, { 1, 1, 0.2f } }).repeat(2, 1).view(8, 3, 1, 1);
        var (told, guessed) = (Reached(Making.Projection(8, Shape).Encode), Reached(pixels => zeros(pixels.shape[0], 8)));
        Assert.True(told < 0.95 * guessed, $"{told:F3} with features, {guessed:F3} without");

        double Reached(Func<Tensor, Tensor> encode)
        {
            manual_seed(7);
            using var objective = Create(name);
            using var optimizer = Optimizer(objective);
            var batch = Batch(objective, count: 8);
            Tensor Scaled(Tensor pixels) => encode(pixels) * 4;
            batch = batch with { Pixels = batch.Pixels * tints, Encode = Scaled, EncodeVisible = Making.Visible(Scaled, Shape), EncodeLatents = Making.Latents(Scaled, Shape) };
            Train(objective, optimizer, batch, steps, rate);
            return Loss(objective, batch).item<float>();
        }
    }

    [Theory]
    [MemberData(nameof(Comparing))]
    public void A_collapsed_batch_scores_worse_than_a_learned_one_unless_that_is_declared(string name)
    {
        // Learned: three directions with samples around each, both views alike. Collapsed: one direction for all.
        const int Rows = 48;
        const int Steps = 60;
        using var scope = NewDisposeScope();
        manual_seed(3);
        using var head = new ClusterHead(1, 3, 8, 20);
        var directions = nn.functional.normalize(randn(3, 8), 2, dim: 1);
        using (no_grad())
        {
            head.Weight.copy_(directions.unsqueeze(0));
        }

        var around = directions.repeat(Rows / 3, 1) + (randn(Rows, 8) * 0.1);
        var pixels = TorchTensors.ToUnit(Making.Bars(Rows, 0, Shape).Pixels, Shape, CPU);
        var encode = Making.Projection(8, Shape).Encode;
        var gain = Reached(directions[0].expand(2 * Rows, 8).clone(), rows => directions[0].expand(rows.shape[0], 8)) - Reached(around.repeat(2, 1), encode);
        var declared = ObjectiveCatalogue.Find(name)!;
        Assert.True((declared.Collapses || declared.LeastAtCollapse) == (gain <= 0.1), $"collapsed scores {gain:F3} above learned");

        // What the objective comes to when nothing but its own networks learn: how features score, not how the networks happened to begin.
        double Reached(Tensor features, Func<Tensor, Tensor> encode)
        {
            manual_seed(7);
            using var objective = Create(name);
            using var optimizer = Optimizer(objective);
            var batch = Of(features, encode, zeros(0, objective.KeyWidth));
            for (var step = 0; step < Steps; step++)
            {
                // Keys of the step before are those of other samples with the same features.
                var keys = objective.Compute(batch).Keys;
                Train(objective, optimizer, batch, 1);
                batch = Of(features, encode, keys ?? batch.BankKeys);
            }

            return Loss(objective, batch).item<float>();
        }

        StepBatch Of(Tensor features, Func<Tensor, Tensor> encode, Tensor keys) => new()
        {
            Features = features,
            KeyFeatures = features,
            Samples = arange(Rows, ScalarType.Int64),
            BankKeys = keys,
            BankSamples = 1000 + arange(keys.shape[0], ScalarType.Int64),
            Anchors = zeros(0, ScalarType.Int64),
            Neighbours = zeros(0, ScalarType.Int64),
            Replayed = arange(Rows, ScalarType.Int64),
            Labels = arange(Rows, ScalarType.Int64) % 3,
            Head = head,
            Pixels = pixels,
            Encode = encode,
            Seed = 1,
        };
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Options_out_of_range_are_all_told_at_once(string name)
    {
        Type type = Type(name);
        if (type.GetNestedType("Options") is not { } optionsType)
        {
            Assert.Null(Array.Find(type.GetConstructors(), constructor => constructor.GetParameters().Any(p => p.ParameterType != typeof(int) && p.ParameterType != typeof(SampleShape))));
            return;
        }

        // Booleans have no range; everything else has.
        var numbers = optionsType.GetProperties().Where(p => p.PropertyType != typeof(bool) && p.CanWrite).ToArray();
        var wrong = Activator.CreateInstance(optionsType)!;
        Array.ForEach(numbers, p => p.SetValue(wrong, Convert.ChangeType(-1, p.PropertyType, CultureInfo.InvariantCulture)));
        var error = Assert.IsType<ArgumentException>(Assert.Throws<TargetInvocationException>(() => Make(wrong)).InnerException);
        Assert.All(numbers, p => Assert.Contains($"Objective '{name}': {p.Name} is -1; must be ", error.Message, StringComparison.Ordinal));
        (Make(Activator.CreateInstance(optionsType)!) as IDisposable)!.Dispose();

        object Make(object options)
        {
            var constructor = type.GetConstructors().Single(c => c.GetParameters().Any(p => p.ParameterType == optionsType));
            return constructor.Invoke([.. constructor.GetParameters().Select(p => p.ParameterType == optionsType ? options : p.ParameterType == typeof(SampleShape) ? Shape : (object)8)]);
        }
    }

    [Fact]
    public void An_unknown_name_is_answered_with_the_known_ones()
    {
        var error = Assert.Throws<ArgumentException>(() => ObjectiveCatalogue.Create("nonesuch", 8, Making.Grey));
        Assert.Contains("'nonesuch'", error.Message, StringComparison.Ordinal);
        Assert.Contains(string.Join(", ", ObjectiveCatalogue.Names), error.Message, StringComparison.Ordinal);
        Assert.Contains("moco", ObjectiveCatalogue.Names);
    }

    [Theory]
    [MemberData(nameof(OfPictures))]
    public void Samples_that_give_it_nothing_to_learn_are_refused_with_the_reason(string name)
    {
        var declared = ObjectiveCatalogue.Find(name)!;
        var refused = new List<string>();
        foreach (var shape in (SampleShape[])[new(1, 64, 64), new(3, 64, 32), new(3, 8, 8)])
        {
            IReadOnlyList<string> problems = new LearnerOptions { Objectives = new Dictionary<string, double>(StringComparer.Ordinal) { [name] = 1, ["scan"] = 1 } }.Problems(shape);
            Assert.All(problems, problem => Assert.Matches($@"^Objective '{name}' .* (needs 3|64x32|8x8)\.$", problem));
            refused.AddRange(problems);
            Assert.Equal(problems.Count > 0, declared.Misfit(shape) is not null);
        }

        Assert.Equal((declared.NeedsColour ? 1 : 0) + (declared.NeedsSquare ? 1 : 0) + (declared.LeastSide > 8 ? 1 : 0), refused.Count);
    }

    [Theory]
    [MemberData(nameof(OfPictures))]
    public void Of_sound_one_for_images_is_refused_with_the_reason_and_no_other_is(string name)
    {
        var spectrogram = new SampleShape(1, 64, 64);
        var declared = ObjectiveCatalogue.Find(name)!;
        var options = new LearnerOptions { Kind = SampleKind.Sound, Objectives = new Dictionary<string, double>(StringComparer.Ordinal) { [name] = 1, ["scan"] = 1 } };
        Assert.Equal(declared.OnlyImages is { } reason ? [$"Objective '{name}' is for images: {reason}."] : [], options.Problems(spectrogram));
        Assert.DoesNotContain((options with { Kind = SampleKind.Image }).Problems(spectrogram), problem => problem.Contains("is for images", StringComparison.Ordinal));
        Assert.Equal(name is "rotation" or "relativepatch" or "jigsaw" or "pirl" or "colorization", declared.OnlyImages is not null);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Of_waveforms_those_learn_that_compare_views_or_look_ahead_in_latents(string name)
    {
        var declared = ObjectiveCatalogue.Find(name)!;
        LearnerOptions Options(SampleKind kind) => LearnerOptions.Of(kind) with { Objectives = new Dictionary<string, double>(StringComparer.Ordinal) { [name] = 1, ["scan"] = 1 } };
        string[] expected = declared.Needs.HasFlag(ObjectiveNeeds.Samples) && !declared.NeedsLatents
            ? [$"Objective '{name}' changes pictures and spectrograms; waveforms it cannot.", .. declared.NeedsPatches ? ["Encoder 'vit' takes pictures and spectrograms, no waveforms; use encoder 'waveform' or 'auto'."] : Array.Empty<string>()]
            : [];
        Assert.Equal(expected.Order(StringComparer.Ordinal), Options(SampleKind.Waveform).Problems(new SampleShape(1, 1, 8_000)).Order(StringComparer.Ordinal));
        Assert.Equal(
            declared.NeedsLatents ? [$"Objective '{name}' foretells what an encoder sees in the course of time, which 'strided' does not show; it is for sound with the front end 'waveform', whose encoder is 'waveform'."] : [],
            Options(SampleKind.Sound).Problems(new SampleShape(1, 64, 64)).Where(problem => problem.Contains("course of time", StringComparison.Ordinal)));
        Assert.Equal(name.StartsWith("wav2vec", StringComparison.Ordinal), declared.NeedsLatents);
    }

    [Fact]
    public void Waveforms_of_another_shape_or_too_many_of_them_are_refused()
    {
        var options = LearnerOptions.Of(SampleKind.Waveform);
        Assert.Equal("Waveforms are samples of 1x1xT, not 1x32x32.", Assert.Single(options.Problems(new SampleShape(1, 32, 32))));
        Assert.Equal("Samples of 1x1x8000 are no images.", Assert.Single(new LearnerOptions().Problems(new SampleShape(1, 1, 8_000))));
        Assert.Equal("Encoder 'waveform' takes waveforms of 1600 to 32000 values, not 1x1x1599.", Assert.Single(options.Problems(new SampleShape(1, 1, 1_599))));
        Assert.Equal("Encoder 'strided' takes pictures and spectrograms, no waveforms; use encoder 'waveform' or 'auto'.", Assert.Single((options with { Encoder = "strided" }).Problems(new SampleShape(1, 1, 8_000))));
        Assert.Equal("Encoder 'waveform' takes waveforms, not 1x32x32; use encoder 'auto', or the front end 'waveform'.", Assert.Single((new LearnerOptions { Encoder = "waveform" }).Problems(new SampleShape(1, 32, 32))));
        Assert.Equal(
            "ReplaySize is 200,000, and waveforms of 8,000 values need 8,000 bytes each; at most 1,073,741,824 bytes are kept: 134,217 samples.",
            Assert.Single((options with { ReplaySize = 200_000 }).Problems(new SampleShape(1, 1, 8_000))));
    }

    [Fact]
    public void Sound_in_another_number_of_channels_is_refused()
        => Assert.Equal("Samples of sound are spectrograms of one channel, not 3x32x32.", Assert.Single(new LearnerOptions { Kind = SampleKind.Sound }.Problems(new SampleShape(3, 32, 32))));

    [Fact]
    public void An_encoder_that_does_not_suit_samples_or_objectives_is_refused_with_the_reason()
    {
        static string Problem(SampleShape shape, LearnerOptions options) => Assert.Single(options.Problems(shape));
        var patches = new LearnerOptions { Encoder = "patches" };
        var rotation = new Dictionary<string, double>(StringComparer.Ordinal) { ["rotation"] = 1 };
        Assert.Equal("Encoder 'patches' takes sides of 16 to 256 pixels, not 1x12x12.", Problem(Making.Grey, patches));
        Assert.Contains("'rotation' moves the encoder, and 'patches' learns without gradients", Problem(Shape, patches with { Objectives = rotation }), StringComparison.Ordinal);
        Assert.Empty(patches.Problems(Shape));
        Assert.Contains("sides must be 9 pixels at least, and are 8x8.", Problem(new SampleShape(1, 8, 8), new LearnerOptions { Objectives = new Dictionary<string, double>(StringComparer.Ordinal) { ["mae"] = 1 } }), StringComparison.Ordinal);
    }

    [Fact]
    public void One_that_collapses_alone_is_refused_alone()
    {
        static IReadOnlyList<string> Problems(params string[] names) =>
            new LearnerOptions { Objectives = names.ToDictionary(name => name, _ => 1.0, StringComparer.Ordinal) }.Problems();
        Assert.Contains("'selflabel' puts all samples into one cluster", Assert.Single(Problems("moco", "selflabel")), StringComparison.Ordinal);
        Assert.Empty(Problems("moco", "scan", "selflabel"));
        Assert.Empty(Problems("byol"));
    }

    private static bool IsPretext(string name) => ObjectiveCatalogue.Find(name)!.Family is ObjectiveFamily.Pretext or ObjectiveFamily.Sequence;

    private static Type Type(string name)
        => typeof(IObjective).Assembly.GetTypes().Single(type => string.Equals(type.GetCustomAttribute<ObjectiveAttribute>()?.Name, name, StringComparison.Ordinal));
}
