using Shoal.Contracts;
using Shoal.Storage;

namespace Shoal.Grains.Hosting;

/// <summary>What calls of grains and of the store throw while silos come and go.</summary>
internal static class Failures
{
    /// <summary>Whether every caller must reckon with it: refused, away, late, or broken off by a silo that stops. A caller that was itself told to stop looks at its token first.</summary>
    /// <param name="e">The failure.</param>
    public static bool IsExpected(Exception e) => e is ShoalException or StorageUnavailableException or TimeoutException or OrleansException or OperationCanceledException;

    /// <summary>Whether the same may succeed later.</summary>
    /// <param name="e">The failure.</param>
    public static bool MayPass(Exception e) => IsExpected(e) && e is not ShoalException { IsTransient: false };
}
