namespace Shoal.Storage;

/// <summary>Told, in order, what a file store does to files and folders: what a model of power cuts is made of.</summary>
internal interface IFileTrace
{
    /// <summary>A file got its name.</summary>
    void Created(string path);

    /// <summary>A folder got its name.</summary>
    void FolderCreated(string path);

    /// <summary>Bytes were written.</summary>
    void Written(string path, long offset, ReadOnlySpan<byte> bytes);

    /// <summary>A file was cut.</summary>
    void Cut(string path, long length);

    /// <summary>A file got another name; what had that is gone.</summary>
    void Moved(string from, string to);

    /// <summary>A file lost its name.</summary>
    void Deleted(string path);

    /// <summary>A file's bytes and length are on disk.</summary>
    void Synced(string path);

    /// <summary>The names in a folder are on disk.</summary>
    void FolderSynced(string path);
}
