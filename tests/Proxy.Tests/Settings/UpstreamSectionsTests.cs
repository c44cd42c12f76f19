using Breakwater.Proxy.Settings;
using Microsoft.Extensions.Configuration;

namespace Breakwater.Proxy.Tests.Settings;

public class UpstreamSectionsTests
{
    [Fact]
    public void Bind_Limits_InOrderWithTheirTimes()
    {
        (UpstreamOptions options, List<string> errors) = Bind(
            ("Bandwidth:0:BytesPerSecond", "1000000"), ("Bandwidth:0:From", "08:00"), ("Bandwidth:0:To", "18:00:30"),
            ("Bandwidth:1:BytesPerSecond", "0"), ("Bandwidth:2", ""));

        Assert.Empty(errors);
        Assert.Equal([1_000_000, 0], options.Bandwidth.Select(limit => limit.BytesPerSecond));
        Assert.Equal((new TimeOnly(8, 0), new TimeOnly(18, 0, 30)), (options.Bandwidth[0].From, options.Bandwidth[0].To));
    }

    [Theory]
    [InlineData("Bandwidth", "100000", "must stand in a list")]
    [InlineData("Bandwidth:0", "100000", "is one value")]
    [InlineData("Bandwidth:0:BytesPerSecond", "100MB", "is not a whole number")]
    [InlineData("Bandwidth:0:BytesPerSecond", "1000", "a number from 16384")]
    [InlineData("Bandwidth:0:BytesPerSecond", "-1", "a number from 16384")]
    [InlineData("Bandwidth:0:From", "24:00", "is not a time of day such as 08:00")]
    [InlineData("Bandwidth:0:From", "soon", "is not a time of day such as 08:00")]
    [InlineData("Bandwidth:0:Rate", "1", "there is no such setting")]
    [InlineData("Bandwith:0:BytesPerSecond", "1000000", "did you mean Bandwidth?")]
    public void Bind_Mistake_IsNamedOnce(string name, string value, string expected)
    {
        (_, List<string> errors) = Bind((name, value));

        Assert.Contains(expected, Assert.Single(errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("08:00", null)]
    [InlineData(null, "08:00")]
    [InlineData("08:00", "08:00")]
    public void Bind_PeriodWithoutEnds_IsNamed(string? from, string? to)
    {
        (_, List<string> errors) =
            Bind(("Bandwidth:0:BytesPerSecond", "1000000"), ("Bandwidth:0:From", from), ("Bandwidth:0:To", to));

        Assert.Contains("From and To", Assert.Single(errors), StringComparison.Ordinal);
    }

    private static (UpstreamOptions Options, List<string> Errors) Bind(params (string Name, string? Value)[] values)
    {
        var errors = new List<string>();
        IConfiguration configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(values.Where(v => v.Value is not null).ToDictionary(v => "Upstream:" + v.Name, v => v.Value)).Build();
        return (UpstreamSections.Bind(configuration, errors), errors);
    }
}
