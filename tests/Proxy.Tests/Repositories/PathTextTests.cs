using System.Text;
using System.Text.Json;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.Repositories;

public class PathTextTests
{
    [Theory]
    [InlineData("2F62696E2F7368", "/bin/sh")]
    [InlineData("2FC3A9", "/é")]
    [InlineData("2FF09F9880", "/😀")]
    [InlineData("2FE9", "/\uEFE9")]
    [InlineData("2FFF2F41FE", "/\uEFFF/A\uEFFE")]
    [InlineData("EDA080", "\uEFED\uEFA0\uEF80")]
    [InlineData("C0AF", "\uEFC0\uEFAF")]
    [InlineData("F09F98", "\uEFF0\uEF9F\uEF98")]
    [InlineData("EEBEA9", "\uEFEE\uEFBE\uEFA9")]
    public void Of_Bytes_IsTextThatGivesThemBack(string hex, string text)
    {
        byte[] bytes = Convert.FromHexString(hex);

        Assert.Equal(text, PathText.Of(bytes));
        Assert.Equal(bytes, PathText.Bytes(text));
    }

    [Fact]
    public void Of_AnyBytes_RoundTripAlsoThroughJson()
    {
        var random = new Random(7);
        byte[][] parts =
            [[0x80], [0xFF], [0xC3], [0xC3, 0xA9], [0xEE, 0xBE, 0x80],
                [0xEE, 0xBF, 0xBF], [0xF0, 0x9F], [0x2F], [0x41], "é€😀"u8.ToArray()];
        for (int i = 0; i < 5_000; i++)
        {
            byte[] bytes = [.. Enumerable.Range(0, random.Next(12)).SelectMany(_ => parts[random.Next(parts.Length)])];

            string text = PathText.Of(bytes);

            Assert.Equal(bytes, PathText.Bytes(text));
            Assert.Equal(text, JsonSerializer.Deserialize<string>(JsonSerializer.Serialize(text)));
            Assert.Equal(text, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)));
            Assert.Equal(PathKey.Of(bytes), PathKey.Of(text));
        }
    }
}
