using System.Collections.Frozen;

namespace Breakwater.Repositories;

/// <summary>The master public keys of a site, as a client keeps them. An immutable snapshot of the keys directory.</summary>
/// <remarks>
/// Layout (that of <c>/etc/cvmfs/keys</c>): <c>&lt;fqrn&gt;.pub</c>, <c>&lt;domain&gt;.pub</c>, <c>&lt;domain&gt;/*.pub</c>, where the
/// domain is the repository's name without its first label. A repository's own keys, if there are any, are used alone; else those of its
/// domain. Several keys may be in force at the same time (rotation): one that fits is enough.
/// </remarks>
public sealed class MasterKeys
{
    /// <summary>No key at all: every repository is unverified.</summary>
    public static readonly MasterKeys None = new(new Dictionary<string, List<RsaSignature>>(), []);

    /// <summary>A longer file is no key.</summary>
    public const int MaxKeyFileBytes = 64 * 1024;

    private readonly FrozenDictionary<string, RsaSignature[]> _byName;

    private MasterKeys(Dictionary<string, List<RsaSignature>> byName, List<string> problems)
    {
        _byName = byName.ToFrozenDictionary(entry => entry.Key, entry => entry.Value.ToArray(), StringComparer.OrdinalIgnoreCase);
        Problems = problems;
    }

    /// <summary>
    /// Files that should be keys and are not, one sentence each. Their repositories are refused rather than left unverified.
    /// </summary>
    public IReadOnlyList<string> Problems { get; }

    /// <summary>Not one key, and no file that should be one?</summary>
    public bool IsEmpty => _byName.Count == 0;

    /// <summary>Reads every key of a directory. A directory that does not exist has no keys.</summary>
    public static MasterKeys Load(string directory)
    {
        if (!Directory.Exists(directory))
        {
            return None;
        }

        Dictionary<string, List<RsaSignature>> byName = new(StringComparer.OrdinalIgnoreCase);
        List<string> problems = [];
        foreach (string file in Directory.EnumerateFiles(directory, "*.pub").Order(StringComparer.Ordinal))
        {
            Add(Path.GetFileNameWithoutExtension(file), file, byName, problems);
        }

        foreach (string domain in Directory.EnumerateDirectories(directory))
        {
            foreach (string file in Directory.EnumerateFiles(domain, "*.pub").Order(StringComparer.Ordinal))
            {
                Add(Path.GetFileName(domain), file, byName, problems);
            }
        }

        return new MasterKeys(byName, problems);
    }

    /// <summary>One repository's key alone, such as the one that a seed bundle brings.</summary>
    public static Parsed<MasterKeys> Of(Fqrn fqrn, string pem) =>
        RsaSignature.FromPem(pem).TryGet(out RsaSignature? key, out string? problem)
        ? new MasterKeys(new Dictionary<string, List<RsaSignature>> { [fqrn.ToString()] = [key] }, [])
        : new Malformed(problem);

    /// <summary>The keys of a repository. Null: none is configured. Empty: some are, and none of them is readable.</summary>
    public IReadOnlyList<RsaSignature>? For(Fqrn fqrn)
    {
        string name = fqrn.ToString();
        if (_byName.TryGetValue(name, out RsaSignature[]? own))
        {
            return own;
        }

        int dot = name.IndexOf('.', StringComparison.Ordinal);
        return dot >= 0 && _byName.TryGetValue(name[(dot + 1)..], out RsaSignature[]? domain) ? domain : null;
    }

    private static void Add(string name, string file, Dictionary<string, List<RsaSignature>> byName, List<string> problems)
    {
        if (!byName.TryGetValue(name, out List<RsaSignature>? keys))
        {
            byName[name] = keys = [];
        }

        string? problem;
        try
        {
            if (new FileInfo(file).Length > MaxKeyFileBytes)
            {
                problem = "it is too long for a key.";
            }
            else if (RsaSignature.FromPem(File.ReadAllText(file)).TryGet(out RsaSignature? key, out problem))
            {
                keys.Add(key);
                return;
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            problem = exception.Message;
        }

        problems.Add($"Repositories:KeysDirectory: {file}: {problem} Replace or remove the file.");
    }
}
