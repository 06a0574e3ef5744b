using System.CommandLine;

namespace Shoal.Silo;

/// <summary>The options of a silo's command line that say what it tells of itself, and to whom.</summary>
internal sealed class TelemetryArguments
{
    private const string Variable = "SHOAL_OTLP";
    private const string Json = "json";
    private const string Text = "text";

    // What OpenTelemetry's own variables are for; any of them is a wish to export.
    private static readonly string[] Standard = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"];
    private static readonly TelemetrySettings Defaults = new();

    private readonly Option<string?> _otlp = new("--otlp")
    {
        Description = $"Collector that gets metrics and traces, by OTLP over HTTP: http://HOST:4318 (or the variable {Variable}, or OpenTelemetry's own)",
        DefaultValueFactory = _ => Value(Variable),
    };

    private readonly Option<double> _ratio = new("--trace-ratio")
    {
        Description = "Share of requests that is traced, 0 to 1; what a caller traces is always",
        DefaultValueFactory = _ => Defaults.TraceRatio,
    };

    private readonly Option<string> _format = new("--log-format") { Description = "How logs are printed: text, or json", DefaultValueFactory = _ => Text };

    /// <summary>The options.</summary>
    public IReadOnlyList<Option> Options => [_otlp, _ratio, _format];

    /// <summary>The settings that a command line makes.</summary>
    /// <param name="result">The command line.</param>
    /// <exception cref="FormatException">Something is wrong; the message says what.</exception>
    public TelemetrySettings Settings(ParseResult result) => new()
    {
        Otlp = result.GetValue(_otlp) is { } address ? Address(address) : null,
        OtlpByVariables = Array.Exists(Standard, variable => Value(variable) is not null),
        TraceRatio = result.GetRequiredValue(_ratio),
        JsonLogs = result.GetRequiredValue(_format) switch
        {
            Json => true,
            Text => false,
            var other => throw new FormatException($"The log format is '{other}'; must be {Text} or {Json}."),
        },
    };

    private static Uri Address(string address) => Uri.TryCreate(address, UriKind.Absolute, out Uri? uri)
        ? uri
        : throw new FormatException($"'{address}' is no address of a collector; write http://HOST:4318.");

    private static string? Value(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null;
}
