namespace Shoal.Silo;

/// <summary>What a silo tells of itself, and to whom.</summary>
public sealed record TelemetrySettings
{
    /// <summary>Where metrics and traces go, by OTLP over HTTP with protobuf: the address of a collector, to which <c>/v1/traces</c> and <c>/v1/metrics</c> are added; null for nowhere.</summary>
    public Uri? Otlp { get; init; }

    /// <summary>Whether they go where the variables of OpenTelemetry say (<c>OTEL_EXPORTER_OTLP_ENDPOINT</c>), when <see cref="Otlp"/> names nobody.</summary>
    public bool OtlpByVariables { get; init; }

    /// <summary>The share of requests that is traced when the caller traces nothing itself, 0 to 1. Default 0.01: at 500 items a second five traces, some 30 spans.</summary>
    public double TraceRatio { get; init; } = 0.01;

    /// <summary>Whether logs are printed as JSON, one object a line, with their event ids, values and traces; as text otherwise.</summary>
    public bool JsonLogs { get; init; }

    /// <summary>Whether anybody is told.</summary>
    public bool IsExported => Otlp is not null || OtlpByVariables;

    /// <summary>Lists what is out of range; empty when all is fine.</summary>
    public IEnumerable<string> Problems()
    {
        if (TraceRatio is not (>= 0 and <= 1))
        {
            yield return $"TraceRatio is {TraceRatio}; must be 0 to 1.";
        }

        if (Otlp is { IsAbsoluteUri: false } or { Scheme: not ("http" or "https") })
        {
            yield return $"Otlp is '{Otlp}'; must be an address that begins with http:// or https://.";
        }
    }
}
