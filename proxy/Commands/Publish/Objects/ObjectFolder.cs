using System.Diagnostics;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Disk;

namespace Breakwater.Proxy.Commands.Publish.Objects;

/// <summary>
/// The objects of a repository in a folder, as a web server gives them to clients: <c>data/xx/…</c>. An object is there whole or not at
/// all, as
/// far as a kill goes; who relies on them after a power failure syncs the file system first. Thread-safe.
/// </summary>
/// <param name="root">Folder of the repository.</param>
/// <param name="temporary">Folder on the same file system, for what is not whole yet.</param>
internal sealed class ObjectFolder(string root, string temporary)
{
    private long _added;
    private long _addedBytes;

    /// <summary>
    /// Write objects anew that are there: a run before this one did not end in order, and a power failure may have left names without
    /// bytes.
    /// </summary>
    public bool IsRewriting { get; init; }

    /// <summary>Objects that are in a store instead of the folder; null: none.</summary>
    public IReadOnlySet<ObjectKey>? Elsewhere { get; set; }

    /// <summary>Objects that were not there before.</summary>
    public long Added => Interlocked.Read(ref _added);

    /// <summary>Their bytes.</summary>
    public long AddedBytes => Interlocked.Read(ref _addedBytes);

    /// <summary>Where temporary files are made.</summary>
    public string Temporary => temporary;

    /// <summary>Where an object is.</summary>
    public string PathOf(in ObjectKey key) => Path.Combine(root, key.ToPath());

    /// <summary>Is it there?</summary>
    public bool Contains(in ObjectKey key) => Elsewhere?.Contains(key) == true || File.Exists(PathOf(key));

    /// <summary>Makes the folders.</summary>
    public void Create()
    {
        Directory.CreateDirectory(temporary);
        for (int i = 0; i < 256; i++)
        {
            Directory.CreateDirectory(Path.Combine(root, "data", i.ToString("x2", System.Globalization.CultureInfo.InvariantCulture)));
        }
    }

    /// <summary>Begins an object.</summary>
    public ObjectDraft Begin() => new(this);

    /// <summary>Stores a small object.</summary>
    /// <param name="content">What clients get once they inflate it.</param>
    /// <param name="kind">Letter of its kind; 0: a file.</param>
    public ObjectKey Put(ReadOnlySpan<byte> content, char kind)
    {
        using ObjectDraft draft = Begin();
        draft.Write(content);
        return draft.Commit(kind);
    }

    /// <summary>Stores a file's content as an object and removes the file.</summary>
    public ObjectKey PutFile(string file, char kind)
    {
        using ObjectDraft draft = Begin();
        byte[] buffer = new byte[128 << 10];
        using (FileStream stream = new(file, FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.SequentialScan))
        {
            int read;
            while ((read = stream.Read(buffer)) > 0)
            {
                draft.Write(buffer.AsSpan(0, read));
            }
        }

        File.Delete(file);
        return draft.Commit(kind);
    }

    /// <summary>A new name for a temporary file.</summary>
    public string NewTemporary() => Path.Combine(temporary, Guid.NewGuid().ToString("n"));

    /// <summary>Gives a whole temporary file its name.</summary>
    internal void Take(string file, long length, in ObjectKey key)
    {
        bool isNew = !Contains(key);
        if (!isNew && !IsRewriting)
        {
            File.Delete(file);
            return;
        }

        File.Move(file, PathOf(key), overwrite: true);
        Count(isNew, length);
    }

    /// <summary>Writes an object whose bytes are at hand, unless it is there.</summary>
    internal void Take(ReadOnlySpan<byte> wire, in ObjectKey key)
    {
        bool isNew = !Contains(key);
        if (!isNew && !IsRewriting)
        {
            return;
        }

        string file = NewTemporary();
        using (FileStream stream = Create(file))
        {
            stream.Write(wire);
        }

        File.Move(file, PathOf(key), overwrite: true);
        Count(isNew, wire.Length);
    }

    /// <summary>A temporary file that the web server may read once it has its name.</summary>
    internal static FileStream Create(string file)
    {
        Debug.Assert(Path.IsPathRooted(file), "Temporary files are in the folder for them.");
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = WholeFile.Readable;
        }

        return new FileStream(file, options);
    }

    private void Count(bool isNew, long length)
    {
        if (isNew)
        {
            Interlocked.Increment(ref _added);
            Interlocked.Add(ref _addedBytes, length);
        }
    }
}
