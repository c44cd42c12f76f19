using Breakwater.CacheStore;
using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Hashing;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Commands.Publish.Objects;

/// <summary>
/// A repository that is published into a folder: <c>cvmfs/&lt;fqrn&gt;</c> in it is what any web server serves as a Stratum 1,
/// <c>state/&lt;fqrn&gt;</c>
/// what the publisher keeps for itself. One publisher at a time; dispose to let the next one in.
/// </summary>
internal sealed class RepositoryFolder : IDisposable
{
    public const string Manifest = ".cvmfspublished";
    public const string Whitelist = ".cvmfswhitelist";
    public const string Reflog = ".cvmfsreflog";
    private const string Unfinished = "unfinished";

    private readonly FileStream _lock;

    private RepositoryFolder(string output, string fqrn, FileStream held, bool isRewriting)
    {
        _lock = held;
        (Output, Fqrn) = (output, fqrn);
        Root = RootOf(output, fqrn);
        StateRoot = StateOf(output, fqrn);
        Objects = new ObjectFolder(Root, Path.Combine(StateRoot, "tmp"))
        {
            Elsewhere = StoredObjects.Load(Path.Combine(StateRoot, StoredObjects.FileName)).Keys,
            IsRewriting = isRewriting || File.Exists(Path.Combine(StateRoot, Unfinished)),
        };
    }

    /// <summary>The folder that was given.</summary>
    public string Output { get; }

    /// <summary>Name of the repository.</summary>
    public string Fqrn { get; }

    /// <summary>What clients see.</summary>
    public string Root { get; }

    /// <summary>What the publisher keeps for itself.</summary>
    public string StateRoot { get; }

    /// <summary>Its objects.</summary>
    public ObjectFolder Objects { get; }

    /// <summary>Where a repository is in an output folder.</summary>
    public static string RootOf(string output, string fqrn) => Path.Combine(Path.GetFullPath(output), "cvmfs", fqrn);

    /// <summary>Opens a repository's folder, which need not exist.</summary>
    /// <param name="output">The folder.</param>
    /// <param name="fqrn">The repository.</param>
    /// <param name="isRewriting">Write objects anew that are there.</param>
    /// <exception cref="PublishException">Another publisher is at work.</exception>
    public static RepositoryFolder Open(string output, string fqrn, bool isRewriting = false)
    {
        string state = StateOf(output, fqrn);
        MakePrivate(Path.GetDirectoryName(state)!);
        MakePrivate(state);
        Directory.CreateDirectory(RootOf(output, fqrn));
        FileStream held;
        try
        {
            held = new FileStream(Path.Combine(state, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e is not (DirectoryNotFoundException or FileNotFoundException))
        {
            throw new PublishException($"Another command is publishing {fqrn} into {output} ({e.Message}). "
                + "Run this again when it has ended.");
        }

        return new RepositoryFolder(Path.GetFullPath(output), fqrn, held, isRewriting);
    }

    /// <summary>
    /// Makes the folders; what a killed publisher left behind is removed, and the next one knows if this one is killed, too.
    /// </summary>
    public void Begin()
    {
        if (Directory.Exists(Objects.Temporary))
        {
            Directory.Delete(Objects.Temporary, recursive: true);
        }

        Objects.Create();
        WholeFile.Write(Path.Combine(StateRoot, Unfinished), [], WholeFile.Secret);
    }

    /// <summary>All that was written is durable, and is named by what clients read first.</summary>
    public void End() => File.Delete(Path.Combine(StateRoot, Unfinished));

    /// <summary>A file of the publisher's own.</summary>
    public string StateFile(string name) => Path.Combine(StateRoot, name);

    /// <summary>A document that clients read; null: it is not there.</summary>
    public byte[]? Read(string name)
    {
        string path = Path.Combine(Root, name);
        return NamedPath.IsFile(path) ? File.ReadAllBytes(path) : null;
    }

    /// <summary>Writes a document that clients read: whole, durable.</summary>
    public void Write(string name, ReadOnlySpan<byte> bytes) => WholeFile.Write(Path.Combine(Root, name), bytes, WholeFile.Readable);

    /// <summary>Is an object there, with the right bytes?</summary>
    public bool IsGood(in ObjectKey key)
    {
        if (Objects.Elsewhere?.Contains(key) == true && !File.Exists(Objects.PathOf(key)))
        {
            return true; // the store looks after it
        }

        try
        {
            OpenObject(key).Dispose();
            return true;
        }
        catch (PublishException)
        {
            return false;
        }
    }

    /// <summary>Opens an object, its hash verified.</summary>
    /// <exception cref="PublishException">It is missing or damaged.</exception>
    public FileStream OpenObject(in ObjectKey key)
    {
        string path = Objects.PathOf(key);
        if (!File.Exists(path))
        {
            throw new PublishException($"The object {key} is missing in {Root}: it was removed by something else than 'publish gc'.");
        }

        FileStream stream = File.OpenRead(path);
        if (!IsOf(key, stream))
        {
            stream.Dispose();
            throw new PublishException($"The object {key} in {Root} is damaged: run 'breakwater publish DIRECTORY --verify', "
                + "which writes it anew.");
        }

        stream.Position = 0;
        return stream;
    }

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();

    private static string StateOf(string output, string fqrn) => Path.Combine(Path.GetFullPath(output), "state", fqrn);

    private static bool IsOf(in ObjectKey key, FileStream stream)
    {
        using ObjectHasher hasher = ObjectHasher.Create(key.Algorithm);
        byte[] buffer = new byte[128 << 10];
        int read;
        while ((read = stream.Read(buffer)) > 0)
        {
            hasher.Append(buffer.AsSpan(0, read));
        }

        return hasher.FinishMatches(key);
    }

    private static void MakePrivate(string directory)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(directory);
        }
        else
        {
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}
