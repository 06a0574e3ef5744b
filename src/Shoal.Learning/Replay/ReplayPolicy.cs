namespace Shoal.Learning;

/// <summary>Which samples of a segment of the stream the replay buffer keeps.</summary>
public enum ReplayPolicy
{
    /// <summary>A uniform sample of all that came (Vitter 1985).</summary>
    Reservoir,

    /// <summary>Everything new, for what another sample resembles most (Purushwalkam et al. 2022).</summary>
    MinimumRedundancy,
}
