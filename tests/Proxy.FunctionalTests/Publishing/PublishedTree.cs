using System.Globalization;
using System.IO.Compression;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.Repositories;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Publishing;

/// <summary>
/// A published snapshot as lines that name every entry with what clients see of it, and the same of a tree, which <c>find</c> reads.
/// </summary>
internal static class PublishedTree
{
    private const string Format = @"%P\0%m\0%y\0%U\0%G\0%T@\0%s\0%l\0";

    /// <summary>The lines of a directory, by path.</summary>
    public static async Task<SortedDictionary<string, string>> OfDirectoryAsync(string directory)
    {
        var start = new System.Diagnostics.ProcessStartInfo("/usr/bin/find") { ArgumentList = { directory, "-printf", Format } };
        start.RedirectStandardOutput = true;
        start.StandardOutputEncoding = Encoding.Latin1;
        using var find = System.Diagnostics.Process.Start(start)!;
        string[] fields = (await find.StandardOutput.ReadToEndAsync().InTimeAsync()).Split('\0');
        await find.WaitForExitAsync().InTimeAsync();
        Assert.Equal(0, find.ExitCode);
        SortedDictionary<string, string> lines = new(StringComparer.Ordinal);
        for (int i = 0; i + 7 < fields.Length; i += 8)
        {
            string path = fields[i].Length == 0 ? "" : "/" + fields[i];
            string type = fields[i + 2];
            long seconds = long.Parse(fields[i + 5].Split('.')[0], CultureInfo.InvariantCulture); // -2.5 is 1.5 s before 1970
            string size = type is "f" or "l" ? fields[i + 6] : "-";
            lines[path] = $"{type} {Convert.ToUInt32(fields[i + 1], 8):x} {fields[i + 3]}:{fields[i + 4]} {seconds} {size} {fields[i + 7]}";
        }

        return lines;
    }

    /// <summary>The lines of a snapshot, by path. All bytes of its files are compared with those of the tree.</summary>
    public static async Task<SortedDictionary<string, string>> OfRepositoryAsync(string root, ObjectKey rootCatalog, string tree)
    {
        SortedDictionary<string, string> lines = new(StringComparer.Ordinal);
        string? problem = await new CatalogTree(rootCatalog, (key, cancel) => OpenAsync(root, key, cancel)).WalkAsync((catalog, _) =>
            catalog.Walk(entry =>
            {
                Assert.Null(catalog.ReadAttributes(entry.Key, out CatalogAttributes? seen));
                string path = PathOf(entry);
                string type = (seen!.Mode & 0xf000) switch
                {
                    0x4000 => "d",
                    0x8000 => "f",
                    0xa000 => "l",
                    0x1000 => "p",
                    0xc000 => "s",
                    0x2000 => "c",
                    _ => "b",
                };
                string size = type is "f" or "l" ? entry.SizeBytes.ToString(CultureInfo.InvariantCulture) : "-";
                lines[path] = $"{type} {seen.Mode & 0xfff:x} {seen.Uid}:{seen.Gid} {seen.ModifiedAt} {size} "
                    + Encoding.Latin1.GetString(seen.LinkTarget);
                if (entry.HasObjects && System.Text.Unicode.Utf8.IsValid(PathText.Bytes(entry.Path)))
                {
                    List<ObjectKey> objects = [];
                    Assert.Null(catalog.ReadObjects(entry, objects));
                    byte[] content = [.. objects.SelectMany(key => Inflate(File.ReadAllBytes(Path.Combine(root, key.ToPath()))))];
                    Assert.True(content.AsSpan().SequenceEqual(File.ReadAllBytes(tree + entry.Path)), entry.Path);
                }
            }));
        Assert.Null(problem);
        return lines;
    }

    /// <summary>Opens a catalog of the folder.</summary>
    public static async Task<Parsed<Catalog>> OpenAsync(string root, ObjectKey key, CancellationToken cancellationToken)
    {
        await using FileStream wire = File.OpenRead(Path.Combine(root, key.ToPath()));
        return await Catalog.OpenAsync(wire, CatalogLimits.Default, cancellationToken);
    }

    /// <summary>The path byte for byte, each byte a character, as <c>find</c>'s output is read.</summary>
    private static string PathOf(CatalogEntry entry) => Encoding.Latin1.GetString(PathText.Bytes(entry.Path));

    private static byte[] Inflate(byte[] wire)
    {
        using var zlib = new ZLibStream(new MemoryStream(wire), CompressionMode.Decompress);
        using var content = new MemoryStream();
        zlib.CopyTo(content);
        return content.ToArray();
    }
}
