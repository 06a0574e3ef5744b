using System.IO.Compression;
using Microsoft.AspNetCore.Http;
using Shoal.Client;

namespace Shoal.Web;

/// <summary>Unpacks bodies that come compressed, and ends those that are made to fill or to busy a server.</summary>
internal static class Inflation
{
    /// <summary>What unpacked bytes may be of those sent. Pictures hardly shrink, bare pixels of drawings to a fiftieth; gzip itself reaches 1,032.</summary>
    private const int MostTimes = 200;

    /// <summary>Unpacked bytes that are free: a small body of zeros is nobody's harm.</summary>
    private const long Free = 64L << 20;

    /// <summary>The body, unpacked when it comes as gzip.</summary>
    /// <param name="body">The body as it comes.</param>
    /// <returns>A stream that throws <see cref="BadHttpRequestException"/> (413) when too much comes out of too little.</returns>
    public static Stream Gunzip(Stream body)
    {
        long sent = 0;
        var packed = new CountedStream(body, total => sent = total);
        return new CountedStream(new GZipStream(packed, CompressionMode.Decompress), total =>
        {
            if (total > (sent * MostTimes) + Free)
            {
                throw new BadHttpRequestException(
                    $"The body is unpacked to more than {MostTimes} times what was sent; send it as it is. What came before may be stored; sending it again is safe.", StatusCodes.Status413PayloadTooLarge);
            }
        });
    }

    /// <summary>Tells how many bytes have been read through it.</summary>
    private sealed class CountedStream(Stream inner, Action<long> count) : ReadThroughStream(inner)
    {
        private long _total;

        protected override void Passed(ReadOnlySpan<byte> bytes)
        {
            _total += bytes.Length;
            count(_total);
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                Inner.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
