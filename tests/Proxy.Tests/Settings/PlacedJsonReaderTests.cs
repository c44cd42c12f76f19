using System.Text;
using Breakwater.Proxy.Settings;
using Microsoft.Extensions.Configuration;

namespace Breakwater.Proxy.Tests.Settings;

/// <summary>Settings files: the same values as .NET's own reader, and the place of each mistake.</summary>
public class PlacedJsonReaderTests
{
    [Theory]
    [InlineData("""{ "A": { "B": [1, "x", true, null], "C": {} , "D": [] }, "E": 1.50, "f:g": "h", "ü": "ö" }""")]
    [InlineData("""
        // a comment
        { "A": 1, /* another */ "B": [ { "C": false }, ], }
        """)]
    [InlineData("""{ "A": null, "B": "\u00fc\n", "C": -1e5 }""")]
    [InlineData("\uFEFF{ \"A\": 1 }")]
    [InlineData("{}")]
    public void Read_GoodText_HasTheValuesOfTheFrameworksReader(string json)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(json);
        using var stream = new MemoryStream(bytes);
        var expected = new ConfigurationBuilder().AddJsonStream(stream).Build();

        PlacedJson read = PlacedJsonReader.Read("f", bytes);

        Assert.Empty(read.Problems);
        IConfigurationRoot actual = new ConfigurationBuilder().AddInMemoryCollection(read.Values).Build();
        Assert.Equal(Flat(expected), Flat(actual));
    }

    [Theory]
    [InlineData("{\n  \"A\": 1\n  \"B\": 2\n}", 3, 3)]
    [InlineData("{\n  \"A\": 1,,\n}", 2, 10)]
    [InlineData("{ \"ü\": x }", 1, 8)]
    [InlineData("{\r\n\"A\": 'x'\r\n}", 2, 6)]
    [InlineData("{ \"A\": 1", 1, 9)]
    [InlineData("{ \"A\": 1 } x", 1, 12)]
    [InlineData("\n{ x }", 2, 3)]
    [InlineData("\n\n{ \"A\": 1,\n  \"B\": x }", 4, 8)]
    [InlineData("", 1, 1)]
    [InlineData("[1]", 1, 1)]
    [InlineData("\"text\"", 1, 1)]
    public void Read_NoJson_IsToldWithLineAndColumn(string json, int line, int column)
    {
        PlacedJson read = PlacedJsonReader.Read("/etc/f.json", Encoding.UTF8.GetBytes(json));

        Assert.True(read.IsBroken);
        Assert.Equal(new SettingsPlace("/etc/f.json", line, column), Assert.Single(Assert.Single(read.Problems).Places));
    }

    [Theory]
    [InlineData("{ \"A\": 1", " The { in line 1, column 1 is not closed.")]
    [InlineData("{ \"A\": {}, \"B\": []", " The { in line 1, column 1 is not closed.")]
    [InlineData("{\n \"ü\": [ 1,\n [ 2 ]", " The [ in line 2, column 7 is not closed.")]
    [InlineData("{\n \"A\": { \"B\": 1", " The { in line 2, column 7 is not closed.")]
    [InlineData("\n  ", "the file is empty; { } is a file without settings.")]
    public void Read_TextThatEndsTooSoon_SaysWhatIsOpen(string json, string said)
    {
        string text = Assert.Single(PlacedJsonReader.Read("f", Encoding.UTF8.GetBytes(json)).Problems).Text;

        Assert.StartsWith("This is not JSON: the file ", text, StringComparison.Ordinal);
        Assert.EndsWith(said, text, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_AMistakeInTheMiddle_IsTheLibrarysSentenceWithoutItsCount()
    {
        string text = Assert.Single(PlacedJsonReader.Read("f", "{ \"A\": x }"u8).Problems).Text;

        Assert.StartsWith("This is not JSON: 'x' is an invalid start of a value.", text, StringComparison.Ordinal);
        Assert.DoesNotContain("LineNumber", text, StringComparison.Ordinal);
        Assert.DoesNotContain("not closed", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_NullsListsAndEmptySections_AreKeptApart()
    {
        PlacedJson read = PlacedJsonReader.Read("f",
            "{ \"A\": {}, \"B\": [], \"C\": null, \"D\": { \"E\": 1 },\n \"F\": [ 2, [ 3 ], { \"G\": true } ] }"u8);

        Assert.Equal(["A=", "B=\"\"", "C=", "D:E=\"1\"", "F:0=\"2\"", "F:1:0=\"3\"", "F:2:G=\"True\""],
            read.Values.Select(one => one.Value is null ? $"{one.Key}=" : $"{one.Key}=\"{one.Value}\"").Order(StringComparer.Ordinal));
        Assert.Equal(["B", "F", "F:1"], read.Lists.Order(StringComparer.Ordinal));
        Assert.Equal(["A 1:3", "B 1:12", "C 1:21", "D 1:32", "D:E 1:39", "F 2:2", "F:0 2:9", "F:1 2:12", "F:1:0 2:14", "F:2 2:19",
            "F:2:G 2:21"], read.Places.Select(one => $"{one.Key} {one.Value.Line}:{one.Value.Column}").Order(StringComparer.Ordinal));
        Assert.Empty(PlacedJsonReader.Read("f", "{}"u8).Values);
    }

    [Fact]
    public void Read_OtherEncodings_SaySo()
    {
        Assert.Contains("UTF-16", Assert.Single(PlacedJsonReader.Read("f", [0xFF, 0xFE, .. Encoding.Unicode.GetBytes("{}")]).Problems).Text,
            StringComparison.Ordinal);
        Assert.True(PlacedJsonReader.Read("f", [0xFE, 0xFF, .. Encoding.BigEndianUnicode.GetBytes("{}")]).IsBroken);
        PlacedJson latin1 = PlacedJsonReader.Read("f", Encoding.Latin1.GetBytes("{\n \"A\": \"ü\" }"));
        Assert.Contains("not UTF-8", Assert.Single(latin1.Problems).Text, StringComparison.Ordinal);
        Assert.Equal(2, latin1.Problems[0].Places[0].Line);
    }

    [Fact]
    public void Read_NameTwice_NamesBothPlacesAndReadsOn()
    {
        PlacedJson read = PlacedJsonReader.Read("f", "{ \"A\": 1,\n\"a\": 2, \"B\": { \"C\": 1, \"C\": 2 }, \"D\": 3 }"u8);

        Assert.False(read.IsBroken);
        Assert.Equal(["a", "B:C"], read.Problems.Select(problem => problem.Text.Split(": ")[0]).Distinct());
        Assert.Contains(read.Problems, problem => problem.Places is [{ Line: 1, Column: 3 }, { Line: 2, Column: 1 }]);
        Assert.Equal("3", read.Values["D"]);
    }

    // Whatever the text is, the reader ends with values or with a place inside it.
    [Fact]
    public void Read_AnyCutOrChangedText_EndsWithValuesOrAPlace()
    {
        byte[] good = Encoding.UTF8.GetBytes("""{ "A": { "B": [1, "xü", true] }, /* c */ "C": null, "D": { } }""");
        for (int i = 0; i < good.Length; i++)
        {
            foreach (byte changed in (byte[])[0, (byte)'"', (byte)'{', (byte)']', 0xFF])
            {
                byte[] text = [.. good];
                text[i] = changed;
                foreach (byte[] one in (byte[][])[text, good[..i]])
                {
                    PlacedJson read = PlacedJsonReader.Read("f", one);
                    Assert.All(read.Problems.SelectMany(problem => problem.Places),
                        place => Assert.InRange(place.Column, 1, good.Length + 1));
                    Assert.Equal(read.IsBroken, read.IsBroken && read.Problems.Count > 0);
                }
            }
        }
    }

    private static IEnumerable<string> Flat(IConfigurationRoot configuration) =>
        configuration.AsEnumerable().Where(value => value.Value is not null).Select(value => $"{value.Key}={value.Value}")
        .Order(StringComparer.Ordinal);
}
