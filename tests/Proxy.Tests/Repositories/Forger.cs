using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Hashing;

namespace Breakwater.Proxy.Tests.Repositories;

/// <summary>A signing key of our own making, for what the real fixtures cannot show.</summary>
internal sealed class Forger(RSA key)
{
    public static byte[] PadType1(byte[] text, int length)
    {
        byte[] block = new byte[length];
        Array.Fill(block, (byte)0xff);
        block[0] = 0;
        block[1] = 1;
        block[^(text.Length + 1)] = 0;
        text.CopyTo(block, length - text.Length);
        return block;
    }

    public static byte[] RawRsa(RSAParameters secret, byte[] block)
    {
        static BigInteger Number(byte[] bytes) => new(bytes, isUnsigned: true, isBigEndian: true);
        byte[] result = BigInteger.ModPow(Number(block), Number(secret.D!), Number(secret.Modulus!))
            .ToByteArray(isUnsigned: true, isBigEndian: true);
        return [.. new byte[block.Length - result.Length], .. result];
    }

    public byte[] SignManifest(string text)
    {
        string hashLine = Convert.ToHexStringLower(ObjectHasher.Hash(DigestAlgorithm.Sha1, Encoding.ASCII.GetBytes(text)));
        byte[] signature = key.SignData(Encoding.ASCII.GetBytes(hashLine), HashAlgorithmName.SHA1, RSASignaturePadding.Pkcs1);
        return [.. Encoding.ASCII.GetBytes(text + "--\n" + hashLine + "\n"), .. signature];
    }

    public byte[] SignWhitelist(string text)
    {
        string hashLine = Convert.ToHexStringLower(ObjectHasher.Hash(DigestAlgorithm.Sha1, Encoding.ASCII.GetBytes(text)));
        byte[] signature = RawRsa(key.ExportParameters(true), PadType1(Encoding.ASCII.GetBytes(hashLine), key.KeySize / 8));
        return [.. Encoding.ASCII.GetBytes(text + "--\n" + hashLine + "\n"), .. signature];
    }
}
