using System.Diagnostics.CodeAnalysis;
using Breakwater.CacheStore;

namespace Breakwater.Proxy.Seeding.Format;

/// <summary>The name of an entry, parsed by an allow-list: what it does not know, above all what leads elsewhere, is not a name.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Fqrn">Repository; empty for what belongs to the bundle.</param>
/// <param name="Key">Identity of an object.</param>
internal readonly record struct SeedPath(SeedEntryKind Kind, string Fqrn, ObjectKey Key)
{
    public const string Index = "breakwater-seed/index.json";
    public const string Checksums = "breakwater-seed/index.sha256";
    public const string Inherited = "breakwater-seed/inherited.txt";
    public const string Manifest = ".cvmfspublished";
    public const string Whitelist = ".cvmfswhitelist";

    /// <summary>A link's target has 100 bytes in ustar, and no prefix.</summary>
    private const int MaxLinkBytes = 100;

    private const string KeyDirectory = "breakwater-seed/keys/";

    /// <summary>Name of a repository's document.</summary>
    public static string OfDocument(string fqrn, string file) => $"cvmfs/{fqrn}/{file}";

    /// <summary>Name of a repository's master public key.</summary>
    public static string OfMasterKey(string fqrn) => $"{KeyDirectory}{fqrn}.pub";

    /// <summary>Name of an object below a repository.</summary>
    public static string OfObject(string fqrn, in ObjectKey key) => $"cvmfs/{fqrn}/{key.ToPath()}";

    /// <summary>Can a hard link in a ustar archive point to this name?</summary>
    public static bool FitsAsLinkTarget(string name) => name.Length <= MaxLinkBytes;

    /// <summary>Parses a name.</summary>
    public static bool TryParse(string name, [NotNullWhen(true)] out SeedPath? path)
    {
        path = name switch
        {
            Index => new SeedPath(SeedEntryKind.Index, "", default),
            Checksums => new SeedPath(SeedEntryKind.Checksums, "", default),
            Inherited => new SeedPath(SeedEntryKind.Document, "", default),
            _ => null,
        };
        if (path is not null)
        {
            return true;
        }

        if (name.StartsWith(KeyDirectory, StringComparison.Ordinal) && name.EndsWith(".pub", StringComparison.Ordinal)
            && IsFqrn(name[KeyDirectory.Length..^4]))
        {
            path = new SeedPath(SeedEntryKind.Document, name[KeyDirectory.Length..^4], default);
            return true;
        }

        string[] parts = name.Split('/', 3);
        if (parts is not ["cvmfs", var fqrn, var file] || !IsFqrn(fqrn))
        {
            return false;
        }

        if (file is Manifest or Whitelist)
        {
            path = new SeedPath(SeedEntryKind.Document, fqrn, default);
        }
        else if (TryParseObject(file, out ObjectKey key))
        {
            path = new SeedPath(SeedEntryKind.Object, fqrn, key);
        }

        return path is not null;
    }

    /// <summary>Parses <c>data/xx/…</c>.</summary>
    public static bool TryParseObject(string file, out ObjectKey key)
    {
        key = default;
        return file.Length > 8 && file.StartsWith("data/", StringComparison.Ordinal) && file[7] == '/'
            && ObjectKey.TryParse(string.Concat(file.AsSpan(5, 2), file.AsSpan(8)), out key);
    }

    /// <summary>Is this a repository's name? CernVM-FS allows 60 characters; so does a bundle.</summary>
    public static bool IsFqrn(string name) =>
        name.Length <= 60 && name.Contains('.', StringComparison.Ordinal) && Repositories.Fqrn.TryParse(name, out _);

    /// <summary>
    /// The order of objects in a bundle: certificates, histories, catalogs first, so that trust is known before the bulk; then by name.
    /// </summary>
    public static int Compare(ObjectKey left, ObjectKey right)
    {
        int byRank = Rank(left).CompareTo(Rank(right));
        return byRank != 0 ? byRank : string.CompareOrdinal(left.ToString(), right.ToString());
    }

    private static int Rank(in ObjectKey key) =>
        key.Kind switch { ObjectKind.Certificate => 0, ObjectKind.History => 1, ObjectKind.Catalog => 2, _ => 3 };
}
