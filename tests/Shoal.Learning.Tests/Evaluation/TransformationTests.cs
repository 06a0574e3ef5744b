namespace Shoal.Learning.Tests;

public sealed class TransformationTests
{
    private const int Side = 8;

    private static readonly SampleShape Grey = new(1, Side, Side);
    private static readonly SampleShape Colour = new(3, Side, Side);

    public static TheoryData<string, double> OfPlaces => new()
    {
        { "rotation", 90 },
        { "rotation", 180 },
        { "mirror", 1 },
        { "shift across", 0.25 },
        { "shift down", 0.25 },
        { "scale", 2 },
    };

    [Theory]
    [MemberData(nameof(OfPlaces))]
    public void Pixels_come_from_where_plain_loops_say(string name, double strength)
    {
        var before = Random(Grey);
        byte[] after = Of(name, Grey).Apply(before, 1, Grey, strength);
        for (var (y, x) = (0, 0); y < Side; (y, x) = x < Side - 1 ? (y, x + 1) : (y + 1, 0))
        {
            var expected = (name, strength) switch
            {
                ("rotation", 90) => At(x, Side - 1 - y),
                ("rotation", _) => At(Side - 1 - y, Side - 1 - x),
                ("mirror", _) => At(y, Side - 1 - x),

                // What comes in continues the border.
                ("shift across", _) => At(y, Math.Max(0, x - 2)),
                ("shift down", _) => At(Math.Max(0, y - 2), x),
                _ => Magnified(y, x),
            };
            Assert.InRange(after[(y * Side) + x], expected - 1, expected + 1);
        }

        double At(int row, int column) => before[(row * Side) + column];

        // Twice as large about the middle: between four pixels, three quarters of the nearer ones.
        double Magnified(int y, int x)
        {
            var (row, column) = (((y + 0.5) / 2) + 1.5, ((x + 0.5) / 2) + 1.5);
            var (top, left) = ((int)row, (int)column);
            var (down, right) = (row - top, column - left);
            return ((1 - down) * (((1 - right) * At(top, left)) + (right * At(top, left + 1)))) + (down * (((1 - right) * At(top + 1, left)) + (right * At(top + 1, left + 1))));
        }
    }

    [Fact]
    public void Light_is_changed_by_its_formula()
    {
        byte[] pixels = [.. Enumerable.Range(0, Grey.Size).Select(i => (byte)(i % 2 == 0 ? 100 : 140))];
        Assert.Equal((50, 70), (Of("brightness", Grey).Apply(pixels, 1, Grey, 0.5)[0], Of("brightness", Grey).Apply(pixels, 1, Grey, 0.5)[1]));
        Assert.Equal((80, 160), (Of("contrast", Grey).Apply(pixels, 1, Grey, 2)[0], Of("contrast", Grey).Apply(pixels, 1, Grey, 2)[1]));

        // A blur keeps what is flat, and evens out what is not.
        byte[] flat = [.. Enumerable.Repeat((byte)90, Grey.Size)];
        Assert.Equal(flat, Of("blur", Grey).Apply(flat, 1, Grey, 1));
        Assert.InRange(Of("blur", Grey).Apply(pixels, 1, Grey, 2)[27], 115, 125);
        Assert.Equal(Of("noise", Grey).Apply(flat, 1, Grey, 0.1), Of("noise", Grey).Apply(flat, 1, Grey, 0.1));
        double[] noise = [.. Of("noise", Grey).Apply([.. flat.Concat(flat).Concat(flat).Concat(flat)], 4, Grey, 0.1).Select(value => value - 90.0)];
        Assert.InRange(Math.Sqrt(noise.Average(value => value * value)), 20, 31);
    }

    [Fact]
    public void Colours_are_changed_by_their_formulas_and_grey_samples_have_none()
    {
        byte[] red = [.. Enumerable.Repeat((byte)200, Side * Side), .. Enumerable.Repeat((byte)50, 2 * Side * Side)];
        int[] Pixel(string name, double strength) => [.. Of(name, Colour).Apply(red, 1, Colour, strength).Chunk(Side * Side).Select(channel => (int)channel[9])];
        Assert.Equal([95, 95, 95], Pixel("saturation", 0));

        // A third of the circle makes green of red; greys stay.
        Assert.Equal([50, 200, 50], Pixel("hue", 1.0 / 3));
        byte[] grey = [.. Enumerable.Repeat((byte)77, Colour.Size)];
        Assert.Equal(grey, Of("hue", Colour).Apply(grey, 1, Colour, 0.25));
        Assert.DoesNotContain(Transformations.Of(Grey), transformation => transformation.Name is "hue" or "saturation");
        Assert.Equal(Transformations.Of(Grey).Count + 2, Transformations.Of(Colour).Count);
        Assert.Equal(["mirror", "rotation"], Transformations.Of(Grey).Except(Transformations.Of(Grey, SampleKind.Sound)).Select(transformation => transformation.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_one_changes_something_at_every_strength_and_nothing_of_other_samples()
    {
        byte[] one = Random(Colour), other = Random(Colour, seed: 2);
        foreach (Transformation transformation in Transformations.Of(Colour).Where(transformation => transformation.Name is not "noise"))
        {
            foreach (var strength in transformation.Strengths)
            {
                byte[] alone = transformation.Apply(one, 1, Colour, strength);
                Assert.NotEqual(one, alone);
                Assert.Equal(alone, transformation.Apply([.. one, .. other], 2, Colour, strength)[..Colour.Size]);
            }
        }

        var error = Assert.Throws<ArgumentException>(() => Of("mirror", Colour).Apply(one, 2, Colour, 1));
        Assert.Contains("have 384 bytes, not 192", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Waveforms_have_changes_of_their_own_and_each_does_what_it_is_called()
    {
        const int Length = 2_000;
        var shape = new SampleShape(1, 1, Length);
        IReadOnlyList<Transformation> all = Transformations.Of(shape, SampleKind.Waveform);
        Assert.Equal(["gain", "low-pass", "polarity", "shift in time", "speed", "white noise"], all.Select(transformation => transformation.Name).Order(StringComparer.Ordinal));
        Assert.Empty(all.Intersect(Transformations.Of(Grey)));

        // 40 periods at half of full scale: companded 127 ln(128.5) / ln(256) = 111 from the middle.
        byte[] tone = [.. Enumerable.Range(0, Length).Select(i => Compand(0.5 * Math.Sin(2 * Math.PI * i / 50)))];
        Assert.Equal(128 + 111, tone.Max());
        byte[] After(string name, double strength) => all.Single(transformation => transformation.Name.Equals(name, StringComparison.Ordinal)).Apply(tone, 1, shape, strength);
        Assert.Equal(Compand(0.5 * Math.Pow(10, -0.6)), After("gain", -12).Max());
        Assert.Equal(tone.Select(value => (byte)(256 - value)), After("polarity", -1));
        byte[] later = After("shift in time", 0.1);
        Assert.All(later[..199], value => Assert.Equal(128, value));
        Assert.All(later[201..].Zip(tone[1..]), pair => Assert.Equal(Expand(pair.Second), Expand(pair.First), 0.03));
        Assert.InRange(Crossings(After("speed", 1.25)), 39, 41);
        Assert.InRange(Crossings(After("speed", 0.8)) * 1.0 / Crossings(tone), 0.75, 0.85);
        Assert.InRange(Level(After("low-pass", 0.1)) / Level(tone), 0.95, 1.05);
        Assert.InRange(Level(After("low-pass", 0.02)) / Level(tone), 0, 0.1);
        double[] noise = [.. After("white noise", 10).Zip(tone, (after, before) => Expand(after) - Expand(before))];
        Assert.InRange(10 * Math.Log10(Math.Pow(Level(tone), 2) / noise.Average(value => value * value)), 9, 11);

        static byte Compand(double value) => (byte)Math.Round(128 + (127 * Math.Sign(value) * Math.Log(1 + (255 * Math.Abs(value))) / Math.Log(256)));
        static double Expand(byte value) => Math.Sign(value - 128) * (Math.Pow(256, Math.Abs(value - 128) / 127.0) - 1) / 255;
        static double Level(byte[] values) => Math.Sqrt(values.Average(value => Math.Pow(Expand(value), 2)));
        static int Crossings(byte[] values) => values.Skip(1).Zip(values).Count(pair => pair.First > 140 && pair.Second <= 140);
    }

    private static Transformation Of(string name, SampleShape shape) => Transformations.Of(shape).Single(transformation => transformation.Name.Equals(name, StringComparison.Ordinal));

    private static byte[] Random(SampleShape shape, int seed = 1)
    {
        var pixels = new byte[shape.Size];
        new Random(seed).NextBytes(pixels);
        return pixels;
    }
}
