using Breakwater.Proxy.Documents;

namespace Breakwater.Proxy.Tests.Documents;

/// <summary>Which media types are kept and sent on.</summary>
public sealed class ContentTypeFieldTests
{
    [Theory]
    [InlineData("application/x-cvmfs", "application/x-cvmfs")]
    [InlineData("text/plain; charset=\"a b\"", "text/plain; charset=\"a b\"")]
    [InlineData(null, ContentTypeField.Default)]
    [InlineData("", ContentTypeField.Default)]
    [InlineData("text", ContentTypeField.Default)]
    [InlineData("text/plain\r\nX: y", ContentTypeField.Default)]
    [InlineData("text/plain; a=\"\u00ff\"", ContentTypeField.Default)]
    [InlineData("text/plain; a=\"\u0001\"", ContentTypeField.Default)]
    public void OrDefault_OfWhatWasKept_IsNeverWhatNoClientCouldBeSent(string? kept, string sent) =>
    Assert.Equal(sent, ContentTypeField.OrDefault(kept));

    [Theory]
    [InlineData(ContentTypeField.MaxLength, true)]
    [InlineData(ContentTypeField.MaxLength + 1, false)]
    public void OrDefault_OfALongType_TakesAsMuchAsBothPathsCanSend(int length, bool isTaken)
    {
        string type = "a/".PadRight(length, 'b');

        Assert.Equal(isTaken ? type : ContentTypeField.Default, ContentTypeField.OrDefault(type));
    }

    [Theory]
    [InlineData("", ContentTypeField.Default)]
    [InlineData("text/plain", "text/plain")]
    [InlineData(" \ttext/plain\t ", "text/plain")]
    [InlineData("text", null)]
    [InlineData("text/plain|text/html", null)]
    public void TryRead_OfAnAnswer_IsItsOneTypeOrTheDefaultWhereThereIsNone(string fields, string? expected)
    {
        using var content = new ByteArrayContent([]);
        foreach (string field in fields.Split('|', StringSplitOptions.RemoveEmptyEntries))
        {
            Assert.True(content.Headers.TryAddWithoutValidation("Content-Type", field));
        }

        Assert.Equal(expected, ContentTypeField.TryRead(content, out string? type) ? type : null);
    }

    [Fact]
    public void TryRead_BytesAtRandom_TakesOnlyWhatKestrelSends()
    {
        var random = new Random(7);
        for (int i = 0; i < 20_000; i++)
        {
            string value =
                "a/b;" + new string(
                [.. Enumerable.Range(0, random.Next(12)).Select(_ => (char)random.Next(random.Next(2) == 0 ? 256 : 128))]);
            using var content = new ByteArrayContent([]);
            content.Headers.TryAddWithoutValidation("Content-Type", value);
            if (ContentTypeField.TryRead(content, out string? type))
            {
                Assert.All(type, c => Assert.InRange(c, ' ', '~'));
            }
        }
    }
}
