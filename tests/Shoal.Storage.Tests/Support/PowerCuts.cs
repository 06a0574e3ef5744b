namespace Shoal.Storage.Tests;

/// <summary>
/// Remembers what a file store did, and makes the folder that a power cut at some moment may leave: what was not synced is there, or not, or half.
/// </summary>
/// <remarks>
/// Bytes of a file are certain once it was synced; each write since may be there, be missing, or be torn at a sector, whatever became of the others.
/// Names of a folder are certain once the folder was synced; of those since, any first part may be there, as a journal keeps them.
/// </remarks>
internal sealed class PowerCuts(string root) : IFileTrace
{
    private const int Sector = 512;

    private readonly Lock _gate = new();
    private readonly List<Event> _events = [];

    /// <summary>How many things happened.</summary>
    public int Count => _events.Count;

    /// <summary>The moments at which something was promised to a caller: what happened before must hold after a cut from there on.</summary>
    public List<(int Moment, string What)> Promises { get; } = [];

    /// <summary>What is left out of all that happened, as if the store had not done it: the broken controls.</summary>
    public Func<Event, bool> Ignored { get; set; } = static _ => false;

    /// <summary>Notes that something was promised.</summary>
    public void Promise(string what)
    {
        lock (_gate)
        {
            Promises.Add((_events.Count, what));
        }
    }

    public void Created(string path) => Add(new Event(EventKind.Created, path));

    public void FolderCreated(string path) => Add(new Event(EventKind.FolderCreated, path));

    public void Written(string path, long offset, ReadOnlySpan<byte> bytes) => Add(new Event(EventKind.Written, path) { Number = offset, Bytes = bytes.ToArray() });

    public void Cut(string path, long length) => Add(new Event(EventKind.Cut, path) { Number = length });

    public void Moved(string from, string to) => Add(new Event(EventKind.Moved, from) { To = to });

    public void Deleted(string path) => Add(new Event(EventKind.Deleted, path));

    public void Synced(string path) => Add(new Event(EventKind.Synced, path));

    public void FolderSynced(string path) => Add(new Event(EventKind.FolderSynced, path));

    /// <summary>Makes the folder that is left when the power goes after so many events.</summary>
    /// <param name="moment">How many events came before.</param>
    /// <param name="seed">Decides what is lost of what was not synced.</param>
    /// <param name="target">An empty folder.</param>
    public void Leave(int moment, int seed, string target)
    {
        var disk = new Disk();
        foreach (Event happened in _events.Take(moment).Where(e => !Ignored(e)))
        {
            disk.Take(happened);
        }

        disk.Leave(new Random(seed), root, root, target);
    }

    private void Add(Event happened)
    {
        lock (_gate)
        {
            _events.Add(happened);
        }
    }

    internal enum EventKind
    {
        Created,
        FolderCreated,
        Written,
        Cut,
        Moved,
        Deleted,
        Synced,
        FolderSynced,
    }

    internal sealed record Event(EventKind Kind, string Path)
    {
        public string To { get; init; } = string.Empty;

        public long Number { get; init; }

        public byte[] Bytes { get; init; } = [];
    }

    /// <summary>A file's bytes: those that are certain, and what was done since.</summary>
    private sealed class Content
    {
        private readonly List<Event> _since = [];
        private byte[] _certain = [];

        public void Do(Event change) => _since.Add(change);

        public void Sync()
        {
            _since.ForEach(Apply);
            _since.Clear();
        }

        public byte[] Leave(Random random)
        {
            var left = new Content { _certain = _certain };
            foreach (Event change in _since.Where(_ => random.Next(2) == 0))
            {
                var sectors = (change.Bytes.Length / Sector) + 1;
                left.Apply(change.Kind == EventKind.Written && random.Next(3) == 0
                    ? change with { Bytes = change.Bytes[..Math.Min(change.Bytes.Length, random.Next(sectors) * Sector)] }
                    : change);
            }

            return left._certain;
        }

        private void Apply(Event change)
        {
            if (change.Kind == EventKind.Cut)
            {
                Array.Resize(ref _certain, (int)change.Number);
                return;
            }

            var end = change.Number + change.Bytes.Length;
            byte[] bytes = [.. _certain, .. new byte[Math.Max(0, end - _certain.Length)]];
            change.Bytes.CopyTo(bytes, change.Number);
            _certain = bytes;
        }
    }

    /// <summary>The names in a folder: those that are certain, and what was done since.</summary>
    private sealed class Folder
    {
        private readonly List<(string Name, object? What)> _since = [];
        private readonly SortedDictionary<string, object> _certain = new(StringComparer.Ordinal);

        public void Set(string name, object? what) => _since.Add((name, what));

        public void Sync()
        {
            Apply(_certain, _since);
            _since.Clear();
        }

        public SortedDictionary<string, object> Leave(Random random)
        {
            var left = new SortedDictionary<string, object>(_certain, StringComparer.Ordinal);
            Apply(left, _since.Take(random.Next(_since.Count + 1)));
            return left;
        }

        private static void Apply(SortedDictionary<string, object> names, IEnumerable<(string Name, object? What)> changes)
        {
            foreach ((string name, object? what) in changes)
            {
                if (what is null)
                {
                    names.Remove(name);
                }
                else
                {
                    names[name] = what;
                }
            }
        }
    }

    private sealed class Disk
    {
        // What programs see: a file by the name that it has now.
        private readonly Dictionary<string, Content> _files = new(StringComparer.Ordinal);
        private readonly Dictionary<string, Folder> _folders = new(StringComparer.Ordinal);

        public void Take(Event happened)
        {
            switch (happened.Kind)
            {
                case EventKind.Created:
                    _files[happened.Path] = new Content();
                    Above(happened.Path).Set(Path.GetFileName(happened.Path), _files[happened.Path]);
                    break;
                case EventKind.FolderCreated:
                    Above(happened.Path).Set(Path.GetFileName(happened.Path), happened.Path);
                    break;
                case EventKind.Written or EventKind.Cut:
                    _files[happened.Path].Do(happened);
                    break;
                case EventKind.Moved:
                    _files.Remove(happened.Path, out Content? moved);
                    _files[happened.To] = moved!;
                    Above(happened.Path).Set(Path.GetFileName(happened.Path), what: null);
                    Above(happened.To).Set(Path.GetFileName(happened.To), moved);
                    break;
                case EventKind.Deleted:
                    _files.Remove(happened.Path);
                    Above(happened.Path).Set(Path.GetFileName(happened.Path), what: null);
                    break;
                case EventKind.Synced:
                    _files[happened.Path].Sync();
                    break;
                default:
                    At(happened.Path).Sync();
                    break;
            }
        }

        public void Leave(Random random, string folder, string root, string target)
        {
            Directory.CreateDirectory(target);
            foreach ((string name, object what) in At(folder).Leave(random))
            {
                string to = Path.Combine(target, name);
                if (what is Content content)
                {
                    File.WriteAllBytes(to, content.Leave(random));
                }
                else
                {
                    Leave(random, (string)what, root, to);
                }
            }
        }

        private Folder Above(string path) => At(Path.GetDirectoryName(path)!);

        private Folder At(string path)
        {
            if (!_folders.TryGetValue(path, out Folder? folder))
            {
                _folders[path] = folder = new Folder();
            }

            return folder;
        }
    }
}
