using System.Globalization;

namespace Breakwater.Proxy.Seeding.Format;

/// <summary>
/// A bundle in parts, for file systems that take no large files (FAT32: 4 GB): <c>lab.tar.001</c>, <c>lab.tar.002</c>, …, which are one
/// after the other the bundle.
/// </summary>
internal static class BundleParts
{
    private const string First = ".001";

    /// <summary>Zeros at the end of a bundle: two blocks of tar.</summary>
    private const int EndBytes = 1024;

    /// <summary>Name of a part, counted from 1.</summary>
    public static string NameOf(string bundle, int number) => string.Create(CultureInfo.InvariantCulture, $"{bundle}.{number:000}");

    /// <summary>Opens a bundle: a file, or all parts when the first of them is named, or a bundle of which only parts are there.</summary>
    /// <exception cref="IOException">It cannot be opened, or a part is missing.</exception>
    public static Stream Open(string path)
    {
        string? bundle = path.EndsWith(First, StringComparison.Ordinal) ? path[..^First.Length] : File.Exists(path) ? null : path;
        int last = bundle is null ? 0 : Numbers(bundle).DefaultIfEmpty(0).Max();
        if (bundle is null || last == 0)
        {
            return OpenFile(path);
        }

        for (int number = 1; number <= last; number++)
        {
            if (!File.Exists(NameOf(bundle, number)))
            {
                throw new FileNotFoundException(
                    $"Part {NameOf(bundle, number)} is missing: the bundle has parts up to {last}. Copy it, too.");
            }
        }

        string[] parts = [.. Enumerable.Range(1, last).Select(number => NameOf(bundle, number))];
        if (!IsEnd(parts[^1]))
        {
            throw new FileNotFoundException(IsCutOff(parts)
                ? $"Part {parts[^1]} is shorter than the others, and is not the end of the bundle: copy it again."
                : $"Part {NameOf(bundle, last + 1)} is missing: the bundle does not end with {parts[^1]}. Copy it, too.");
        }

        return new JoinedFiles(parts);
    }

    /// <summary>Does a part end as a bundle does, with blocks of zeros (tar)? A shorter one holds the rest of them.</summary>
    private static bool IsEnd(string part)
    {
        using FileStream file = OpenFile(part);
        byte[] end = new byte[Math.Min(file.Length, EndBytes)];
        return RandomAccess.Read(file.SafeFileHandle, end, file.Length - end.Length) == end.Length
            && !end.AsSpan().ContainsAnyExcept((byte)0);
    }

    private static bool IsCutOff(string[] parts) =>
        parts.Length > 1 && new FileInfo(parts[^1]).Length < new FileInfo(parts[0]).Length;

    /// <summary>Numbers of the parts that are there.</summary>
    public static IEnumerable<int> Numbers(string bundle)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(bundle))!;
        if (!Directory.Exists(folder))
        {
            return [];
        }

        string start = Path.GetFileName(bundle) + ".";
        return Directory.EnumerateFiles(folder).Select(file => Path.GetFileName(file)!)
            .Where(name => name.StartsWith(start, StringComparison.Ordinal) && name.Length >= start.Length + 3)
            .Select(name => int.TryParse(name.AsSpan(start.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : 0)
            .Where(number => number > 0);
    }

    /// <summary>Opens one file to be read once, from its beginning.</summary>
    public static FileStream OpenFile(string path) =>
        new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.Asynchronous | FileOptions.SequentialScan);
}
