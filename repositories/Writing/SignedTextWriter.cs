using System.Security.Cryptography;
using System.Text;

namespace Breakwater.Repositories.Writing;

/// <summary>Makes the envelope of manifest and whitelist, as <see cref="SignedText"/> reads it.</summary>
internal static class SignedTextWriter
{
    /// <summary>Text, <c>--</c>, its SHA-1 in hex, the signature over these 40 characters.</summary>
    /// <param name="text">Lines, each with its line end.</param>
    /// <param name="sign">Signs the hash line.</param>
    public static byte[] Seal(string text, Func<byte[], byte[]> sign)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(text);
#pragma warning disable CA5350 // The format's hash; the digits are what is signed.
        byte[] hashLine = Encoding.ASCII.GetBytes(Convert.ToHexStringLower(SHA1.HashData(bytes)));
#pragma warning restore CA5350
        return [.. bytes, .. "--\n"u8, .. hashLine, (byte)'\n', .. sign(hashLine)];
    }
}
