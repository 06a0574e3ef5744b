using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net.Http.Headers;
using System.Text.Json;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Cli;

/// <summary>What <c>--json</c> prints when a picture was written.</summary>
/// <param name="Dataset">The dataset's name.</param>
/// <param name="Item">The item's id.</param>
/// <param name="File">The file that was written.</param>
/// <param name="Bytes">Its size.</param>
internal sealed record ThumbnailWritten(string Dataset, string Item, string File, int Bytes);

/// <summary>Writes a picture of an item into a file.</summary>
internal static class ThumbnailCommand
{
    /// <summary>The environment variable that <c>--http</c> defaults to.</summary>
    private const string HttpVariable = "SHOAL_HTTP";

    /// <summary>The environment variable with the key of the HTTP API. No option: other users of the host see the arguments of a process.</summary>
    private const string KeyVariable = "SHOAL_KEY";

    public static Command Make(SharedOptions shared, CliSurroundings surroundings)
    {
        Argument<string> name = DatasetCommands.Name();
        var item = new Argument<string>("ITEM") { Description = "The item's id; of a recording's window RECORDING@MILLISECONDS." };
        var output = new Option<string>("--output", "-o") { Description = "The PNG to write.", Required = true };
        var size = new Option<int>("--size") { Description = "Pixels of the longer side at most, 16 to 512.", DefaultValueFactory = static _ => 128 };
        var http = new Option<Uri>("--http")
        {
            Description = $"The silo's HTTP API (variable {HttpVariable}), which draws the picture. Where it asks for a key, that is in the variable {KeyVariable}.",
            CustomParser = static result => Address(result, result.Tokens[0].Value),
            DefaultValueFactory = static result => Address(result, Environment.GetEnvironmentVariable(HttpVariable) is { Length: > 0 } address ? address : "http://127.0.0.1:5080"),
        };
        var command = new Command("thumbnail", "Write a picture of an item into a file: an image scaled down, a window of sound as a spectrogram.") { name, item, output, size, http };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = new HttpClient { BaseAddress = parsed.GetValue(http) };
            if (Environment.GetEnvironmentVariable(KeyVariable) is { Length: > 0 } key)
            {
                client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
            }

            byte[] png = await new ThumbnailClient(client).GetAsync(parsed.GetValue(name)!, parsed.GetValue(item)!, parsed.GetValue(size), cancellationToken);
            var written = new ThumbnailWritten(parsed.GetValue(name)!, parsed.GetValue(item)!, parsed.GetValue(output)!, png.Length);
            await WriteAsync(written.File, png, cancellationToken);
            await surroundings.Out.WriteLineAsync(parsed.GetValue(shared.Json) ? JsonSerializer.Serialize(written, ShoalJson.Options) : $"{written.File}: {png.Length:N0} bytes.");
            return ExitCodes.Success;
        });
        return command;
    }

    private static Uri Address(ArgumentResult result, string text)
    {
        if (Uri.TryCreate(text, UriKind.Absolute, out Uri? address) && address.Scheme is "http" or "https")
        {
            return address;
        }

        result.AddError($"--http is '{text}'; must be an address such as http://127.0.0.1:5080.");
        return null!;
    }

    private static async Task WriteAsync(string file, byte[] png, CancellationToken cancellationToken)
    {
        try
        {
            await File.WriteAllBytesAsync(file, png, cancellationToken);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"'{file}' cannot be written: {failure.Message}", failure);
        }
    }
}
