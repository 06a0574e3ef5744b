using OpenTelemetry.Trace;
using Shoal.Contracts;

namespace Shoal.Silo;

/// <summary>Decides which traces begin here: a share of the requests, and every round.</summary>
/// <remarks>
/// Asked only where no caller has decided. A round is rare, and a hundredth of them would be none. Calls between grains begin no trace: a
/// request that is not traced would otherwise leave pieces of traces, and so would every look that a shard or a seat takes at others.
/// </remarks>
/// <param name="ratio">The share of requests, 0 to 1.</param>
internal sealed class RootSampler(double ratio) : Sampler
{
    // By ASP.NET Core.
    private const string Request = "Microsoft.AspNetCore.Hosting.HttpRequestIn";

    private readonly TraceIdRatioBasedSampler _requests = new(ratio);

    /// <inheritdoc/>
    public override SamplingResult ShouldSample(in SamplingParameters samplingParameters) => samplingParameters.Name switch
    {
        Request => _requests.ShouldSample(samplingParameters),
        Traces.Round or Traces.Commit => new SamplingResult(SamplingDecision.RecordAndSample),
        _ => new SamplingResult(SamplingDecision.Drop),
    };
}
