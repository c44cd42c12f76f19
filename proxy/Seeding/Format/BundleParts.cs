using System.Globalization;

namespace Breakwater.Proxy.Seeding.Format;

/// <summary>
/// A bundle in parts, for file systems that take no large files (FAT32: 4 GB): <c>lab.tar.001</c>, <c>lab.tar.002</c>, …, which are one
/// after the other the bundle.
/// </summary>
internal static class BundleParts
{
    private const string First = ".001";

    /// <summary>Name of a part, counted from 1.</summary>
    public static string NameOf(string bundle, int number) => string.Create(CultureInfo.InvariantCulture, $"{bundle}.{number:000}");

    /// <summary>Opens a bundle: a file, or all parts when the first of them is named, or a bundle of which only parts are there.</summary>
    /// <exception cref="IOException">It cannot be opened, or a part is missing.</exception>
    public static Stream Open(string path)
    {
        string? bundle = path.EndsWith(First, StringComparison.Ordinal) ? path[..^First.Length]
            : !File.Exists(path) && File.Exists(path + First) ? path : null;
        if (bundle is null)
        {
            return OpenFile(path);
        }

        int last = Numbers(bundle).DefaultIfEmpty(1).Max();
        for (int number = 1; number <= last; number++)
        {
            if (!File.Exists(NameOf(bundle, number)))
            {
                throw new FileNotFoundException(
                    $"Part {NameOf(bundle, number)} is missing: the bundle has parts up to {last}. Copy it, too.");
            }
        }

        return new JoinedFiles([.. Enumerable.Range(1, last).Select(number => NameOf(bundle, number))]);
    }

    /// <summary>Numbers of the parts that are there.</summary>
    public static IEnumerable<int> Numbers(string bundle)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(bundle))!;
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
