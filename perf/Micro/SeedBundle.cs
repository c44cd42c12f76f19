using System.Globalization;
using System.Security.Cryptography;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Hashing;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Repositories;

namespace Breakwater.Micro;

/// <summary>
/// <c>seed-bundle FILE MB TREE KEY</c>: writes a bundle of a real repository's trunk documents (TREE, as a Stratum 1 serves it, with its
/// master key) and as many generated objects as make it that big; 9 in 10 have about 20 KB, the others up to 8 MB. The same arguments give
/// the same bytes.
/// </summary>
internal static class SeedBundle
{
    public static async Task<int> RunAsync(string[] args)
    {
        long wanted = long.Parse(args[1], CultureInfo.InvariantCulture) * 1_000_000;
        Manifest manifest = Manifest.Parse(await File.ReadAllBytesAsync(Path.Combine(args[2], SeedPath.Manifest))).Value!;
        Whitelist whitelist = Whitelist.Parse(await File.ReadAllBytesAsync(Path.Combine(args[2], SeedPath.Whitelist))).Value!;
        string fqrn = manifest.RepositoryName;
        List<(ObjectKey Key, int Seed, long Length)> objects = [];
        foreach (ObjectKey key in (ObjectKey[])[manifest.Certificate!.Value, manifest.RootCatalog])
        {
            objects.Add((key, -1, new FileInfo(Path.Combine(args[2], key.ToPath())).Length));
        }

        for (int seed = 0; wanted > 0; seed++)
        {
            byte[] bytes = Make(seed);
            objects.Add((new ObjectKey(ObjectHasher.Hash(DigestAlgorithm.Sha1, bytes), DigestAlgorithm.Sha1, 0), seed, bytes.Length));
            wanted -= bytes.Length;
        }

        objects.Sort((left, right) => SeedPath.Compare(left.Key, right.Key));
        (string Name, byte[] Bytes)[] documents =
        [
            (SeedPath.OfMasterKey(fqrn), await File.ReadAllBytesAsync(args[3])),
            (SeedPath.OfDocument(fqrn, SeedPath.Manifest), await File.ReadAllBytesAsync(Path.Combine(args[2], SeedPath.Manifest))),
            (SeedPath.OfDocument(fqrn, SeedPath.Whitelist), await File.ReadAllBytesAsync(Path.Combine(args[2], SeedPath.Whitelist))),
        ];
        using var contents = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        objects.ForEach(item => contents.AppendData(SeedReader.ContentsLine(SeedPath.OfObject(fqrn, item.Key), item.Length)));
        var index = new SeedIndex
        {
            Format = SeedIndex.CurrentFormat,
            Name = "generated",
            Repositories =
                [new SeedRepository(fqrn, manifest.Revision, whitelist.ExpiresAt,
                [new SeedSnapshot("", manifest.Revision, manifest.RootCatalog.ToString(), "generated", false)])],
            Documents = [
                .. documents.Select(document =>
                    new SeedDocument(document.Name, document.Bytes.Length, Convert.ToHexStringLower(SHA256.HashData(document.Bytes))))],
            Objects = objects.Count,
            ObjectBytes = objects.Sum(item => item.Length),
            Links = 0,
            Inherited = 0,
            Contents = Convert.ToHexStringLower(contents.GetHashAndReset()),
        };
        await using FileStream file = File.Create(args[0], 1 << 20);
        await using var writer = new SeedWriter(file);
        await writer.WriteIndexAsync(index.ToBytes(), default);
        foreach ((string name, byte[] bytes) in documents)
        {
            await writer.WriteAsync(name, new MemoryStream(bytes), default);
        }

        foreach ((ObjectKey key, int seed, _) in objects)
        {
            byte[] bytes = seed < 0 ? await File.ReadAllBytesAsync(Path.Combine(args[2], key.ToPath())) : Make(seed);
            await writer.WriteAsync(SeedPath.OfObject(fqrn, key), new MemoryStream(bytes), default);
        }

        Console.WriteLine($"{objects.Count} objects, {index.ObjectBytes} bytes");
        return 0;
    }

    private static byte[] Make(int seed)
    {
        var random = new Random(seed);
        byte[] bytes = new byte[seed % 10 == 0 ? random.Next(256 << 10, 8 << 20) : random.Next(4 << 10, 40 << 10)];
        random.NextBytes(bytes);
        return bytes;
    }
}
