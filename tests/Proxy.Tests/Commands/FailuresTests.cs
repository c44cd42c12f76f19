using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Commands;
using Breakwater.Proxy.Commands.Seed;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Commands;

/// <summary>What is said of a command that failed, and its exit code.</summary>
public sealed class FailuresTests
{
    public static TheoryData<Exception, int, string> Failed => new()
    {
        { new OperationCanceledException(), 130, "Interrupted.\n" },
        { new AdminException("It refuses.", HttpStatusCode.Conflict), 69, "It refuses.\n" },
        { new HttpRequestException("outer", new IOException("inner")), 69, "outer (inner)\n" },
        { new IOException("outer: inner", new IOException("inner")), 73, "outer: inner\n" },
        { new UnauthorizedAccessException("no"), 73, "no\n" },
        { new SocketException((int)SocketError.AddressAlreadyInUse), 73, "Address already in use\n" },
    };

    [Theory]
    [MemberData(nameof(Failed))]
    public void Tell_OfAFailure_IsASentenceAndACode(Exception failure, int code, string sentence)
    {
        using var console = new CapturedConsole();

        Assert.Equal(code, Failures.Tell(failure));

        Assert.Equal(("", sentence), (console.Output, console.Error));
    }

    [Fact]
    public void Tell_OfAFault_SaysThatItIsOneAndHowToSeeMore()
    {
        using var console = new CapturedConsole();

        Assert.Equal(70, Failures.Tell(new InvalidOperationException("Broken.")));

        Assert.StartsWith("This is a fault of breakwater itself: InvalidOperationException: Broken.\nRun it again with BREAKWATER_TRACE=1",
            console.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CommandLine_ThatIsWrong_SaysWhereToLook()
    {
        CommandRun wrong = await CommandRun.OfAsync(SettingsCommand.Create(), "check", "--nosuch");
        CommandRun service = await CommandRun.OfAsync(ServeCommand.Create(), "--nosuch");

        Assert.Equal((1, 78), (wrong.ExitCode, service.ExitCode));      // trying again does not help a service
        Assert.Equal(("", ""), (wrong.Output, service.Output));
        Assert.EndsWith("'breakwater settings check --help' says what there is.\n", wrong.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Usage", wrong.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("doctor", 1, "something cannot work so; or the command line is wrong")]
    [InlineData("purge", 1, "the command line is wrong")]
    [InlineData("seed remove", 1, "there is no such seed; or the command line is wrong")]
    [InlineData("seed list", 1, "the command line is wrong")]
    [InlineData("profile remove", 1, "there is no such working set; or the command line is wrong")]
    [InlineData("seed export", 69, "no Breakwater or Stratum 1 answers, or it refuses")]
    [InlineData("serve", 78, "the settings are wrong")]
    [InlineData("", 70, "a fault of the program itself")]
    public void ExitCodes_OfACommand_SayWhatItMeansByThem(string name, int code, string meaning)
    {
        Command command = CommandOf(name);

        Assert.Equal(name, ExitCodes.NameOf(command));
        Assert.Equal(meaning, Assert.Single(ExitCodes.Of(command), one => one.Code == code).Meaning);
        Assert.Equal(ExitCodes.Of(command).Select(one => one.Code).Order(), ExitCodes.Of(command).Select(one => one.Code));
        Assert.Equal(name is "serve" or "" ? 7 : 8, ExitCodes.Of(command).Count());
    }

    private static Command CommandOf(string name)
    {
        Command at = new RootCommand
        {
            DoctorCommand.Create(), ProfileCommand.Create(), PurgeCommand.Create(), SeedCommand.Create(), ServeCommand.Create(),
        };
        foreach (string word in name.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            at = at.Subcommands.Single(command => command.Name == word);
        }

        return at;
    }
}
