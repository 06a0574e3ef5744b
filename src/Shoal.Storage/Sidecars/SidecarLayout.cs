namespace Shoal.Storage;

/// <summary>How a sidecar lies on disk: a header, then a record of fixed width for each item.</summary>
/// <param name="FileName">The file, in its shard's folder.</param>
/// <param name="HeaderBytes">Bytes before the first record.</param>
/// <param name="RecordBytes">Bytes of a record.</param>
internal readonly record struct SidecarLayout(string FileName, int HeaderBytes, int RecordBytes)
{
    internal string In(string directory) => Path.Combine(directory, FileName);

    /// <summary>Where an item's record begins.</summary>
    internal long Place(long sequence) => HeaderBytes + (sequence * RecordBytes);
}
