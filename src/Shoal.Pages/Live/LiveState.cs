using Shoal.Contracts;

namespace Shoal.Pages.Live;

/// <summary>What a page shows now.</summary>
/// <typeparam name="T">What is read.</typeparam>
public sealed record LiveState<T>
    where T : class
{
    /// <summary>What was read last; null while nothing was.</summary>
    public T? Value { get; init; }

    /// <summary>Why the last reading failed, for the reader of the page; null when it did not. What was read before is still there.</summary>
    public string? Problem { get; init; }

    /// <summary>What can be done about the problem.</summary>
    public ShoalErrorKind? Kind { get; init; }

    /// <summary>When <see cref="Value"/> was read.</summary>
    public DateTimeOffset? ReadAt { get; init; }

    /// <summary>Whether the first reading is still under way.</summary>
    public bool IsLoading => Value is null && Problem is null;
}
