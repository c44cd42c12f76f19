using System.Globalization;
using System.Security.Cryptography;

namespace Breakwater.Laboratory.Stratum1;

/// <summary>
/// Made-up objects whose names are the true SHA-1 of their incompressible bytes. The same arguments give the same objects.
/// </summary>
internal static class ObjectSet
{
    /// <summary>The repository that made-up objects belong to.</summary>
    public const string Fqrn = "race.example.org";

    /// <summary>Size of a big object in <see cref="Boot"/>: 8 MiB, CernVM-FS's average chunk.</summary>
    public const int BigSizeBytes = 8 * 1024 * 1024;

    /// <summary>Median size of a file in a boot, as measured: 33 KB.</summary>
    public const int MedianSizeBytes = 33_000;

    /// <summary>Objects of one size.</summary>
    public static IReadOnlyList<ServedObject> Fixed(int count, int sizeBytes, int seed) =>
        Make(Enumerable.Repeat(sizeBytes, count), seed);

    /// <summary>
    /// What a boot reads: log-normal sizes with a median of 33 KB, scaled to the total, and some big objects spread among them.
    /// </summary>
    /// <param name="count">Number of objects, the big ones included.</param>
    /// <param name="totalBytes">Bytes of all, the big ones included.</param>
    /// <param name="big">How many have 8 MiB.</param>
    /// <param name="seed">Same seed, same bytes.</param>
    public static IReadOnlyList<ServedObject> Boot(int count, long totalBytes, int big, int seed) =>
        Make(BootSizes(count, totalBytes, big, seed), seed);

    /// <summary>The sizes of <see cref="Boot"/>, in order.</summary>
    public static IReadOnlyList<int> BootSizes(int count, long totalBytes, int big, int seed)
    {
        var random = new Random(seed);
        int small = count - big;
        double mean = (totalBytes - ((double)big * BigSizeBytes)) / small;
        double sigma = Math.Sqrt(2 * Math.Log(Math.Max(1.01, mean / MedianSizeBytes)));
        double[] raw = new double[small];
        for (int i = 0; i < small; i++)
        {
            double normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            raw[i] = Math.Min(MedianSizeBytes * Math.Exp(sigma * normal), BigSizeBytes / 2);
        }

        // The tail is cut and the sample is finite: what is missing (or too much) goes to, or comes from, the bigger half, so the median
        // stays.
        double[] bigger = raw.Order().Skip(small / 2).ToArray();
        double factor = ((mean * small) - (raw.Sum() - bigger.Sum())) / bigger.Sum();
        double median = bigger[0];
        var sizes = raw.Select(s => (int)Math.Max(200, s >= median ? Math.Max(s * factor, median) : s)).ToList();
        for (int i = 0; i < big; i++)
        {
            sizes.Insert((i + 1) * count / (big + 1), BigSizeBytes);
        }

        return sizes;
    }

    /// <summary>Objects of a written set: <c>fixed:COUNT:SIZE[:SEED]</c> or <c>boot:COUNT:TOTALBYTES:BIG[:SEED]</c>.</summary>
    /// <exception cref="FormatException">It is neither.</exception>
    public static IReadOnlyList<ServedObject> Parse(string spec)
    {
        string[] parts = spec.Split(':');
        int[] numbers = parts.Skip(1).Select(p => int.Parse(p, CultureInfo.InvariantCulture)).ToArray();
        return (parts[0], numbers.Length) switch
        {
            ("fixed", 2) => Fixed(numbers[0], numbers[1], 1),
            ("fixed", 3) => Fixed(numbers[0], numbers[1], numbers[2]),
            ("boot", 3) => Boot(numbers[0], numbers[1], numbers[2], 1),
            ("boot", 4) => Boot(numbers[0], numbers[1], numbers[2], numbers[3]),
            _ => throw new FormatException(
                $"'{spec}' is no set of objects; write fixed:COUNT:SIZE[:SEED] or boot:COUNT:TOTALBYTES:BIG[:SEED]"),
        };
    }

    /// <summary>The path of an object by the hash of its bytes.</summary>
    public static string PathOf(ReadOnlySpan<byte> body)
    {
        string hex = Convert.ToHexStringLower(SHA1.HashData(body));
        return $"/cvmfs/{Fqrn}/data/{hex[..2]}/{hex[2..]}";
    }

    private static List<ServedObject> Make(IEnumerable<int> sizes, int seed)
    {
        var random = new Random(seed);
        var objects = new List<ServedObject>();
        foreach (int size in sizes)
        {
            byte[] body = GC.AllocateUninitializedArray<byte>(size);
            random.NextBytes(body);
            objects.Add(new ServedObject(PathOf(body), body));
        }

        return objects;
    }
}
