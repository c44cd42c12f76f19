namespace Breakwater.Proxy.Tests.Repositories;

/// <summary>Random damage, the same in every run: bytes changed, cut out, doubled, the end cut off.</summary>
internal static class RandomDamage
{
    /// <summary>How many are tried where a try is cheap.</summary>
    public const int Runs = 1500;

    /// <summary>Reads the original damaged in so many ways; the reader says whether it ended as it should.</summary>
    public static async Task ReadAsync(byte[] original, Func<byte[], Task<bool>> read, int runs)
    {
        for (int seed = 0; seed < runs; seed++)
        {
            var random = new Random(seed);
            byte[] damaged = [.. original];
            for (int change = random.Next(1, 8); change > 0; change--)
            {
                int at = random.Next(damaged.Length);
                int length = Math.Min(random.Next(1, 16), damaged.Length - at);
                switch (random.Next(4))
                {
                    case 0:
                        damaged[at] ^= (byte)(1 << random.Next(8));
                        break;
                    case 1:
                        random.NextBytes(damaged.AsSpan(at, length));
                        break;
                    case 2:
                        damaged.AsSpan(at, length).Fill((byte)(random.Next(2) * 255));
                        break;
                    default:
                        damaged = [.. damaged[..at], .. damaged[(at + length)..], 0];
                        break;
                }
            }

            if (!damaged.AsSpan().SequenceEqual(original))
            {
                Assert.True(await read(damaged), $"seed {seed}");
            }
        }
    }
}
