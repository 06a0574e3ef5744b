using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Shoal.Client;

namespace Shoal.Web;

/// <summary>Cuts a request's body into lines as it arrives and reads each as an item; holds at most one line.</summary>
internal sealed class NdjsonReader(PipeReader body, int maxItemBytes, int maxLines) : IBulkReader
{
    /// <summary>What a line may hold beside its bytes: an id of 512 bytes, escaped, and metadata.</summary>
    private const int Extra = 64 * 1024;

    /// <summary>The longest line taken: base64 writes 3 bytes as 4.</summary>
    private readonly long _maxLine = ((maxItemBytes + 2L) / 3 * 4) + Extra;

    /// <summary>How many lines were read that are not blank.</summary>
    public int Items { get; private set; }

    /// <inheritdoc/>
    public string WhenEmpty => $"The body is empty; send one object a line, like {NdjsonItem.Example}.";

    /// <summary>Reads the items.</summary>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <exception cref="BadHttpRequestException">413: a line is too long, or there are too many; the message says at which line.</exception>
    public async IAsyncEnumerable<SourceItem> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        int number = 0;
        long searched = 0;
        ReadResult read = default;
        bool held = false;
        try
        {
            while (true)
            {
                read = await body.ReadAsync(cancellationToken);
                held = true;
                ReadOnlySequence<byte> rest = read.Buffer;

                // What was searched before holds no line end: a long line is looked through once, however many reads bring it.
                while (rest.Slice(searched).PositionOf((byte)'\n') is { } end)
                {
                    searched = 0;
                    if (Take(rest.Slice(0, end), ++number) is { } item)
                    {
                        yield return item;
                    }

                    rest = rest.Slice(rest.GetPosition(1, end));
                }

                if (read.IsCompleted)
                {
                    if (Take(rest, ++number) is { } last)
                    {
                        yield return last;
                    }

                    yield break;
                }

                if (rest.Length > _maxLine)
                {
                    throw TooLong(number + 1);
                }

                searched = rest.Length;
                held = false;
                body.AdvanceTo(rest.Start, rest.End);
            }
        }
        finally
        {
            // The server reads on after an error, to the end of the body; it cannot while a read is open.
            if (held)
            {
                body.AdvanceTo(read.Buffer.End);
            }
        }
    }

    private SourceItem? Take(ReadOnlySequence<byte> line, int number)
    {
        if (line.Length > _maxLine)
        {
            throw TooLong(number);
        }

        if (IsBlank(line))
        {
            return null;
        }

        return ++Items > maxLines
            ? throw new BadHttpRequestException(
                $"Line {number}: a request may hold {maxLines:N0} items; send the rest in another. Sending all again is safe.", StatusCodes.Status413PayloadTooLarge)
            : NdjsonItem.Parse(line, number);
    }

    // Only a short line can be blank in good faith: a carriage return, or a few spaces.
    private static bool IsBlank(in ReadOnlySequence<byte> line)
    {
        if (line.Length > 16)
        {
            return false;
        }

        Span<byte> copy = stackalloc byte[16];
        line.CopyTo(copy);
        return copy[..(int)line.Length].Trim(" \t\r"u8).IsEmpty;
    }

    private BadHttpRequestException TooLong(int number) => new(
        $"Line {number} is longer than {_maxLine:N0} bytes, more than an item of {maxItemBytes:N0} bytes needs. Lines before it may be stored; sending them again is safe.",
        StatusCodes.Status413PayloadTooLarge);
}
