using System.Runtime.Intrinsics.X86;
using TorchSharp;
using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>What convolutions and wide linear layers compute in. Parameters, norms and losses are float32 always.</summary>
public enum Precision
{
    /// <summary>Reduced where the processor multiplies bfloat16 natively (AVX512-BF16, or any CUDA device), else full.</summary>
    Auto,

    /// <summary>float32.</summary>
    Full,

    /// <summary>bfloat16; slower than float32 where the processor must emulate it.</summary>
    Reduced,
}

/// <summary>Decides what <see cref="Precision.Auto"/> means on this machine.</summary>
public static class PrecisionExtensions
{
    // CPUID leaf 7, sub-leaf 1, EAX bit 5: AVX512-BF16 (Intel's manual, volume 2A, CPUID).
    private const int FeatureLeaf = 7;
    private const int Avx512Bf16 = 1 << 5;

    /// <summary>The type to compute in.</summary>
    /// <param name="precision">The setting.</param>
    /// <param name="device">Where tensors live.</param>
    public static ScalarType ComputeType(this Precision precision, Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return precision switch
        {
            Precision.Full => ScalarType.Float32,
            Precision.Reduced => ScalarType.BFloat16,
            _ => device.type == DeviceType.CUDA || MultipliesBFloat16() ? ScalarType.BFloat16 : ScalarType.Float32,
        };
    }

    private static bool MultipliesBFloat16()
        => Avx512F.IsSupported && (X86Base.CpuId(FeatureLeaf, 1).Eax & Avx512Bf16) != 0;
}
