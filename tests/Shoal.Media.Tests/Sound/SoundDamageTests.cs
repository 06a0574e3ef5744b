using Shoal.Media.Sound;

namespace Shoal.Media.Tests.Sound;

public sealed class SoundDamageTests
{
    private static readonly SoundDecoder Decoder = new(new() { WindowSeconds = 0.1, Mels = 8, Frames = 8, MaxBytes = 100_000 });

    public static TheoryData<string> Variants => [.. TestSounds.All.Keys];

    [Theory]
    [MemberData(nameof(Variants))]
    public void A_file_cut_off_anywhere_is_refused_unless_nobody_could_know(string variant)
    {
        var whole = TestSounds.All[variant];
        var isStream = variant.StartsWith("stream", StringComparison.Ordinal) || variant.StartsWith("recorder", StringComparison.Ordinal);

        // Behind the sound nothing is looked at.
        var least = whole.Length - variant switch { "lists around" => 16, "half a step at the end" => 1, _ => 0 };
        for (var length = 0; length < whole.Length; length++)
        {
            var cut = whole.AsSpan(0, length);
            var early = Decoder.Check("audio/wav", cut);
            var sample = new byte[64];
            var decoded = Decoder.TryDecode("audio/wav", cut, sample, out var problem);
            Assert.Equal(decoded, problem is null);
            if (decoded)
            {
                Assert.True(isStream || length >= least, $"{variant}: {length} of {whole.Length} bytes were enough");
                continue;
            }

            Assert.All(sample, value => Assert.Equal(0, value));
            if (isStream && problem!.Code is "silent")
            {
                // A single value is.
                continue;
            }

            Assert.Equal(early, problem);
            Assert.True(problem!.Code is "truncated" or "empty" or "not-a-sound", $"{variant}: {length} bytes are {problem}");
        }
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Mutated_bytes_are_decoded_or_refused_and_never_throw(string variant)
    {
        var random = new Random(4213);
        var sample = new byte[64];
        var refused = 0;
        for (var i = 0; i < 3_000; i++)
        {
            // Mostly the header: there is where damage can mislead.
            var bytes = TestSounds.All[variant].ToList();
            for (var left = random.Next(1, 6); left > 0 && bytes.Count > 0; left--)
            {
                var at = random.Next(random.Next(3) > 0 ? Math.Min(bytes.Count, 64) : bytes.Count);
                switch (random.Next(5))
                {
                    case 0:
                        bytes.RemoveRange(at, Math.Min(random.Next(1, 5), bytes.Count - at));
                        break;
                    case 1:
                        bytes.Insert(at, (byte)random.Next(256));
                        break;
                    case 2:
                        bytes[at] = random.Next(2) == 0 ? byte.MaxValue : byte.MinValue;
                        break;
                    default:
                        bytes[at] ^= (byte)(1 << random.Next(8));
                        break;
                }
            }

            byte[] mutated = [.. bytes];
            var early = Decoder.Check("audio/*", mutated);
            var decoded = Decoder.TryDecode("audio/*", mutated, sample, out var problem);
            Assert.Equal(decoded, problem is null);
            Assert.False(early is not null && decoded, $"{variant}, mutation {i}: refused at the door and decoded");
            refused += decoded ? 0 : 1;
        }

        Assert.InRange(refused, 1, 2_999);
    }

    [Fact]
    public void Arbitrary_bytes_are_decoded_or_refused_as_bare_sound_and_as_wav()
    {
        var random = new Random(99);
        var sample = new byte[64];
        for (var i = 0; i < 2_000; i++)
        {
            var bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
            Assert.False(Decoder.TryDecode("audio/wav", bytes, sample, out _));
            Assert.Equal(bytes.Length > 0 && bytes.Length % 2 == 0, Decoder.TryDecode("audio/x-raw", bytes, sample, out var problem) || problem!.Code is "silent");
        }
    }
}
