using Breakwater.CacheStore;
using Breakwater.CacheStore.Hashing;

namespace Breakwater.StoreCrash;

/// <summary>An object that follows from a number: whoever knows the number can tell whether stored bytes are right.</summary>
public sealed record CrashObject(int Number, ObjectKey Key, byte[] Bytes)
{
    /// <summary>200 B to 64 MiB: nine in ten are small, a few take many parts.</summary>
    public static CrashObject Make(int number)
    {
        Random random = new(number);
        double kind = random.NextDouble();
        double logarithm = kind switch
        {
            < 0.90 => Between(random, 200, 60_000),
            < 0.99 => Between(random, 60_000, 2_000_000),
            _ => Between(random, 2_000_000, 64 << 20),
        };
        byte[] bytes = new byte[(int)Math.Exp(logarithm)];
        random.NextBytes(bytes);
        return new CrashObject(number, new ObjectKey(ObjectHasher.Hash(DigestAlgorithm.Sha1, bytes), DigestAlgorithm.Sha1, 0), bytes);
    }

    private static double Between(Random random, double low, double high) => Math.Log(low) + (random.NextDouble() * Math.Log(high / low));
}
