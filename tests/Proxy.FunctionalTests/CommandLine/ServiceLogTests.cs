using Breakwater.Proxy.Host;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace Breakwater.Proxy.FunctionalTests.CommandLine;

/// <summary>The form of the service's own log.</summary>
public sealed class ServiceLogTests
{
    [Theory]
    [InlineData("json", "json")]
    [InlineData("systemd", "systemd")]
    [InlineData(null, "simple")]
    public void Formatter_IsThatOfTheSettings(string? setting, string inForce)
    {
        using ServiceProvider provider = Logging(setting);

        Assert.Equal(inForce, provider.GetRequiredService<IOptions<ConsoleLoggerOptions>>().Value.FormatterName);
    }

    // 21: behind each category stood a number in brackets, which nobody can look up.
    [Theory]
    [InlineData("simple", "info: Breakwater.Proxy.Some.Room: store[0] opened\n")]
    [InlineData("systemd", "<6>Breakwater.Proxy.Some.Room: store[0] opened\n")]
    public void Line_ForPeople_HasTheCategoryWithoutANumber(string formatter, string line)
    {
        using ServiceProvider provider = Logging(formatter);
        using var output = new StringWriter();
        var entry = new LogEntry<string>(LogLevel.Information, "Breakwater.Proxy.Some.Room", new EventId(1_684_321, "Opened"),
            "store[0] opened", null, (text, _) => text);

        provider.GetServices<ConsoleFormatter>().Single(one => one.Name == formatter).Write(entry, null, output);

        Assert.Equal(line, output.ToString());
    }

    private static ServiceProvider Logging(string? formatter)
    {
        IConfigurationRoot configuration = new ConfigurationBuilder().AddInMemoryCollection([
            KeyValuePair.Create("Logging:Console:FormatterName", formatter),
            KeyValuePair.Create<string, string?>("Logging:Console:FormatterOptions:ColorBehavior", "Disabled")]).Build();
        ServiceCollection services = new();
        services.AddLogging(logging => ProxyServer.AddLogging(logging, configuration));
        return services.BuildServiceProvider();
    }
}
