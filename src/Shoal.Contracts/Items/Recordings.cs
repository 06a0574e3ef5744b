namespace Shoal.Contracts;

/// <summary>What is known of a recording: its windows in the order of time.</summary>
/// <param name="Id">The recording's id.</param>
/// <param name="Windows">Its windows; empty when it was never ingested.</param>
public sealed record RecordingAnswer(string Id, IReadOnlyList<RecordingWindow> Windows);

/// <summary>A window of a recording.</summary>
/// <param name="Start">Where it begins, in seconds.</param>
/// <param name="End">Where it ends, in seconds; the last may reach past the recording's end.</param>
/// <param name="Item">What is known of it.</param>
public sealed record RecordingWindow(double Start, double End, ItemAnswer Item);
