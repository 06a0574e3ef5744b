using Microsoft.Win32.SafeHandles;

namespace Shoal.Storage;

/// <summary>Keeps a bounded number of files open, the most recently used ones.</summary>
internal sealed class OpenFiles(int capacity) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, LinkedListNode<OpenFile>> _byPath = new(StringComparer.Ordinal);
    private readonly LinkedList<OpenFile> _recent = [];

    /// <summary>Takes an open file for use, opening it when needed; null when it is absent and not to be created. Give it back with <see cref="Return"/>.</summary>
    internal OpenFile? Take(string path, bool create)
    {
        lock (_gate)
        {
            if (_byPath.TryGetValue(path, out LinkedListNode<OpenFile>? node))
            {
                // Another process may have deleted or replaced it since.
                if (NativeFiles.IsLinked(node.Value.Handle, path))
                {
                    _recent.Remove(node);
                    _recent.AddFirst(node);
                    node.Value.Users++;
                    return node.Value;
                }

                Drop(node);
            }

            SafeFileHandle? handle = NativeFiles.Open(path, create);
            if (handle is null)
            {
                return null;
            }

            OpenFile file = new(path, handle) { Users = 1 };
            _byPath[path] = _recent.AddFirst(file);
            while (_byPath.Count > capacity && _recent.Last is { } oldest)
            {
                Drop(oldest);
            }

            return file;
        }
    }

    internal void Return(OpenFile file)
    {
        lock (_gate)
        {
            file.Users--;
            if (file.Users == 0 && file.Dropped)
            {
                file.Handle.Dispose();
            }
        }
    }

    /// <summary>Forgets a file that is being deleted or replaced.</summary>
    internal void Forget(string path)
    {
        lock (_gate)
        {
            if (_byPath.TryGetValue(path, out LinkedListNode<OpenFile>? node))
            {
                Drop(node);
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            while (_recent.First is { } node)
            {
                Drop(node);
            }
        }
    }

    private void Drop(LinkedListNode<OpenFile> node)
    {
        _recent.Remove(node);
        _byPath.Remove(node.Value.Path);
        node.Value.Dropped = true;
        if (node.Value.Users == 0)
        {
            node.Value.Handle.Dispose();
        }
    }
}

/// <summary>One open file and what is known of it.</summary>
internal sealed class OpenFile(string path, SafeFileHandle handle)
{
    internal string Path { get; } = path;

    internal SafeFileHandle Handle { get; } = handle;

    /// <summary>Excludes the other threads of this process: they share the handle, so the file lock does not.</summary>
    internal Lock Gate { get; } = new();

    internal int Users { get; set; }

    internal bool Dropped { get; set; }

    /// <summary>Whether its name is known to be durable.</summary>
    internal bool NameSynced { get; set; }
}
