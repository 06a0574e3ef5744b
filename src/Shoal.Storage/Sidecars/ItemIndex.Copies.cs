namespace Shoal.Storage;

/// <content>What copies of the index are made of: bytes as they lie on disk.</content>
public sealed partial class ItemIndex
{
    /// <summary>The newest epoch that the index in a folder has seen; -1 where there is none. Looks at its header only: whether all of it is whole is seen when it is opened.</summary>
    /// <param name="directory">The folder; the index must not be open.</param>
    internal static long EpochIn(string directory)
    {
        if (!File.Exists(Layout.In(directory)))
        {
            return -1;
        }

        using SidecarFile file = new(Layout.In(directory));
        return ReadCovered(file)?.Epoch ?? -1;
    }

    /// <summary>The records of a run of items, as they lie on disk.</summary>
    /// <param name="first">The first item.</param>
    /// <param name="records">Filled whole.</param>
    internal void ReadRaw(long first, Span<byte> records)
    {
        lock (_gate)
        {
            _file.Read(Place(first), records);
        }
    }

    /// <summary>The header as it lies on disk.</summary>
    internal byte[] ReadHeader()
    {
        lock (_gate)
        {
            byte[] header = new byte[HeaderBytes];
            _file.Read(0, header);
            return header;
        }
    }
}
