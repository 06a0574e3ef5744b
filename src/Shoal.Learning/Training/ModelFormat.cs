using System.Text;

namespace Shoal.Learning;

/// <summary>The names of what a model version holds; changing one makes old versions unreadable.</summary>
internal static class ModelFormat
{
    public const string Prototypes = "prototypes";
    public const string PrototypeClusters = "prototypes.clusters";
    public const string Scale = "scale";
    public const string Reach = "reach";
    public const string Landmarks = "landmarks";
    public const string Shape = "meta.shape";
    public const string EncoderName = "meta.encoder";
    public const string EncoderPrefix = "encoder.";
    public const string Mean = "input.mean";
    public const string Deviation = "input.deviation";

    public static NamedTensor Text(string name, string text) => NamedTensor.Of<byte>(name, Encoding.UTF8.GetBytes(text));

    public static string Text(NamedTensor tensor) => Encoding.UTF8.GetString(tensor.Values<byte>());
}
