using System.Globalization;
using Shoal.Contracts;

namespace Shoal.Benchmarks;

/// <summary>Items made of seeded noise, for figures that do not depend on what is in them.</summary>
internal static class SyntheticItems
{
    /// <summary>The id of an item.</summary>
    public static string Id(int number) => "item/" + number.ToString("D8", CultureInfo.InvariantCulture);

    /// <summary>Raw images.</summary>
    /// <param name="count">How many.</param>
    /// <param name="bytes">Bytes of each.</param>
    /// <param name="first">The first one's number.</param>
    public static IEnumerable<ItemUpload> Images(int count, int bytes, int first = 0)
    {
        var random = new Random(first + 1);
        for (var i = first; i < first + count; i++)
        {
            var pixels = new byte[bytes];
            random.NextBytes(pixels);
            yield return new ItemUpload { Id = Id(i), MediaType = MediaTypes.RawImage, Bytes = pixels };
        }
    }
}
