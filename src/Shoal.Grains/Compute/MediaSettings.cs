using System.Runtime.CompilerServices;
using Shoal.Contracts;
using Shoal.Media;

namespace Shoal.Grains.Compute;

/// <summary>Makes a dataset's decoder out of its settings.</summary>
internal static class MediaSettings
{
    // One of sound computes tables, and embedders ask for one with every request.
    private static readonly ConditionalWeakTable<DatasetSettings, ISampleDecoder> Made = [];

    public static ISampleDecoder Decoder(DatasetSettings settings) => Made.GetValue(settings, static made => SampleForm.Of(made).Decoder(made));
}
