namespace Shoal.Pages;

/// <summary>What pages are told of the silo that serves them.</summary>
/// <param name="Dashboard">Where Orleans' dashboard is; null where there is none.</param>
public sealed record PageOptions(string? Dashboard);
