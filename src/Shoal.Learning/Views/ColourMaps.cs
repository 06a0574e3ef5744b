using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>Linear maps of colours, red, green, blue.</summary>
internal static class ColourMaps
{
    /// <summary>How bright each colour is: Rec. 601, as SimCLR's greys are; [3].</summary>
    /// <param name="device">Where it is wanted.</param>
    public static Tensor Luma(Device device) => tensor((float[])[0.299f, 0.587f, 0.114f], device: device);

    /// <summary>Turns of hue: Rodrigues' rotation about the axis of greys.</summary>
    /// <param name="turns">Angles in radians, [N, 1, 1].</param>
    /// <returns>[N, 3, 3].</returns>
    public static Tensor Hue(Tensor turns)
    {
        using var scope = NewDisposeScope();
        var same = eye(3, device: turns.device).unsqueeze(0);
        var axis = tensor((float[])[0, -1, 1, 1, 0, -1, -1, 1, 0], device: turns.device).view(1, 3, 3) / Math.Sqrt(3);
        return ((turns.cos() * same) + ((1 - turns.cos()) / 3 * ones_like(same)) + (turns.sin() * axis)).MoveToOuterDisposeScope();
    }
}
