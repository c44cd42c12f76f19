using Breakwater.Repositories.Writing;
using CsCheck;

namespace Breakwater.Proxy.Tests.Repositories.Writing;

/// <summary>The blob of extended attributes.</summary>
public sealed class XattrListTests
{
    private static readonly Gen<byte[]> s_name = Gen.Byte[1, 255].Array[1, 255];

    [Fact]
    public void Encode_TwoAttributes_AsTheUsualServerWritesThem() => Assert.Equal(
        Convert.FromHexString("010206" + "01" + "757365722e61" + "31" + "06" + "02" + "757365722e6b" + "7676"),
        XattrList.Encode([Pair("user.k", "vv"), Pair("user.a", "1")]));

    [Fact]
    public void Encode_None_IsNoBlob() => Assert.Null(XattrList.Encode([]));

    [Fact]
    public void Decode_WhatWasEncoded_IsTheSameInOrder() =>
        Gen.Select(s_name, Gen.Byte.Array[0, 255]).List[1, 20].Sample(pairs =>
        {
            List<KeyValuePair<byte[], byte[]>> attributes =
                [.. pairs.DistinctBy(pair => Convert.ToHexString(pair.Item1)).Select(pair => KeyValuePair.Create(pair.Item1, pair.Item2))];
            IReadOnlyList<KeyValuePair<byte[], byte[]>> read = XattrList.Decode(XattrList.Encode(attributes))!;

            // By the names' bytes: a name that another begins with comes first, whatever stands behind it in a text of both.
            Assert.Equal(
                attributes.OrderBy(pair => Convert.ToHexString(pair.Key), StringComparer.Ordinal).Select(Text), read.Select(Text));
        });

    [Fact]
    public void Decode_AnyBytes_IsAListOrNull() => Gen.Byte.Array[0, 40].Sample(bytes =>
    {
        if (XattrList.Decode(bytes) is { } read)
        {
            Assert.Equal(bytes[1], read.Count);
        }
    });

    [Theory]
    [InlineData(0, 1, false)]
    [InlineData(1, 0, true)]
    [InlineData(255, 255, true)]
    [InlineData(256, 1, false)]
    [InlineData(1, 256, false)]
    public void Fits_LengthsOfOneByte(int name, int value, bool expected) =>
        Assert.Equal(expected, XattrList.Fits(new byte[name], new byte[value]));

    private static KeyValuePair<byte[], byte[]> Pair(string name, string value) =>
        KeyValuePair.Create(System.Text.Encoding.ASCII.GetBytes(name), System.Text.Encoding.ASCII.GetBytes(value));

    private static string Text(KeyValuePair<byte[], byte[]> pair) => Convert.ToHexString(pair.Key) + "=" + Convert.ToHexString(pair.Value);
}
