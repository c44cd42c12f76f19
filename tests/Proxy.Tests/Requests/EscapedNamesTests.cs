using System.Text;
using Breakwater.Proxy.Requests;

namespace Breakwater.Proxy.Tests.Requests;

/// <summary>More of it is in <see cref="RequestTargetTests"/>.</summary>
public sealed class EscapedNamesTests
{
    /// <summary>A slash, a dot, a backslash and a NUL in more bytes than UTF-8 allows, which lenient decoders take.</summary>
    [Theory]
    [InlineData("%c0%af %e0%80%af %f0%80%80%af")]
    [InlineData("%c0%ae %e0%80%ae %f0%80%80%ae")]
    [InlineData("%c1%9c %e0%81%9c %f0%80%81%9c")]
    [InlineData("%c0%80 %e0%80%80 %f0%80%80%80")]
    public void Overlong_FormsOfWhatPartsPaths_AreHarmful(string forms) =>
        Assert.All(forms.Split(' '), form => Assert.False(AreHarmless($"/a/x{form}y"), form));

    [Theory]
    [InlineData("%c3%a9")]
    [InlineData("%e0%a4%95")]
    [InlineData("%f0%9f%98%80")]
    [InlineData("%c0%b0")]              // overlong, of an ordinary character
    [InlineData("%e0%80%b0")]
    [InlineData("%f0%80%80%b0")]
    [InlineData("%2e")]                 // a dot within a name
    [InlineData("%2E%2e")]
    public void Escapes_OfAnythingElse_AreHarmless(string form) => Assert.True(AreHarmless($"/a/x{form}y"), form);

    [Theory]
    [InlineData("/a/%2e/x")]
    [InlineData("/a/%2e%2E")]
    [InlineData("/a/x%5c%2e%2e")]
    [InlineData("/a/%00")]
    public void Escapes_OfFoldersOrNul_AreHarmful(string path) => Assert.False(AreHarmless(path));

    [Fact]
    public void HexValue_OfEachDigit_IsItsNumber() =>
        Assert.Equal([.. Enumerable.Range(0, 16), .. Enumerable.Range(10, 6)],
            "0123456789abcdefABCDEF"u8.ToArray().Select(EscapedNames.HexValue));

    private static bool AreHarmless(string path) => EscapedNames.AreHarmless(Encoding.ASCII.GetBytes(path));
}
