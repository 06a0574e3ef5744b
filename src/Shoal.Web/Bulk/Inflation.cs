using System.IO.Compression;
using Microsoft.AspNetCore.Http;

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
    private sealed class CountedStream(Stream inner, Action<long> count) : Stream
    {
        private long _total;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int read = await inner.ReadAsync(buffer, cancellationToken);
            _total += read;
            count(_total);
            return read;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Bodies are read asynchronously.");

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                inner.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
