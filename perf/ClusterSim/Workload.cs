using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using Breakwater.CacheStore;
using Breakwater.Proxy.Cluster;

namespace Breakwater.ClusterSim;

/// <summary>What there is to read, and what each machine reads, in which order. The same options are the same workload.</summary>
internal sealed class Workload
{
    private const double Skew = 0.9;

    private readonly SimOptions _options;
    private readonly double[] _images;
    private readonly double[] _others;

    public Workload(SimOptions options)
    {
        _options = options;
        Count = (options.Images * options.ObjectsOfImage) + options.OtherObjects;
        Keys = new ulong[Count];
        Sizes = new int[Count];
        var random = new Random(options.Seed);
        Span<byte> name = stackalloc byte[8];
        for (int i = 0; i < Count; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(name, ((long)options.Seed << 32) + i);
            Keys[i] = Ring.KeyOf(new ObjectKey(SHA1.HashData(name), DigestAlgorithm.Sha1, ObjectKind.Plain));

            // Many small ones and a few of megabytes, 45 KB in the mean, as boots read.
            Sizes[i] = (int)Math.Clamp(8_000 * Math.Exp(1.8 * Normal(random)), 200, 8_000_000);
        }

        _images = Zipf(options.Images);
        _others = Zipf(options.OtherObjects);
    }

    /// <summary>All objects.</summary>
    public int Count { get; }

    /// <summary>The objects' places on the ring.</summary>
    public ulong[] Keys { get; }

    /// <summary>Their bytes.</summary>
    public int[] Sizes { get; }

    /// <summary>Reads of one boot.</summary>
    public int Steps => _options.ObjectsOfImage + (_options.ObjectsOfImage / _options.OtherEvery);

    /// <summary>The machine's address, in a site's private network.</summary>
    public static IPAddress AddressOf(int vm) => new([10, (byte)(vm >> 16), (byte)(vm >> 8), (byte)vm]);

    /// <summary>The image that a machine boots.</summary>
    public int ImageOf(int vm) => Choose(_images, Draw(vm, -1));

    /// <summary>What a machine reads next.</summary>
    public int Object(int vm, int image, int step)
    {
        int block = step / (_options.OtherEvery + 1);
        int within = step % (_options.OtherEvery + 1);
        return within == _options.OtherEvery
            ? (_options.Images * _options.ObjectsOfImage) + Choose(_others, Draw(vm, step))
            : (image * _options.ObjectsOfImage) + Math.Min((block * _options.OtherEvery) + within, _options.ObjectsOfImage - 1);
    }

    private static int Choose(double[] cumulative, double draw)
    {
        int found = Array.BinarySearch(cumulative, draw);
        return Math.Min(found < 0 ? ~found : found, cumulative.Length - 1);
    }

    private static double[] Zipf(int count)
    {
        double[] cumulative = new double[count];
        double sum = 0;
        for (int i = 0; i < count; i++)
        {
            sum += 1 / Math.Pow(i + 1, Skew);
            cumulative[i] = sum;
        }

        return [.. cumulative.Select(one => one / sum)];
    }

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    /// <summary>From 0 to below 1, of machine and step alone.</summary>
    private double Draw(int vm, int step)
    {
        ulong z = ((ulong)(uint)_options.Seed << 56) ^ ((ulong)(uint)vm << 20) ^ (uint)(step + 1);
        z = (z + 0x9E3779B97F4A7C15) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return ((z ^ (z >> 31)) >> 11) * (1.0 / (1UL << 53));
    }
}
